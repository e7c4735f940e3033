package wire

type conn2 struct{}

func newConn2(c *conn) *conn2                                            { return &conn2{} }
func (s *Session) exchange2(c *conn, req *Request, resp *Response) error { return nil }
func (c *Client) appendBlock(b []byte, req *Request) []byte              { return b }

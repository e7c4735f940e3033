package observe

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/loadline-ci/loadline/internal/wire"
)

// MaxBody bounds a page of metrics, in bytes: the largest that are common have one
// or two million.
const MaxBody = 8 << 20

// maxRedirects is how often an address may lead to another one.
const maxRedirects = 3

// A fetcher gets one address again and again, on a connection that it keeps.
type fetcher struct {
	session Session
	request wire.Request
	answer  wire.Response
}

func newFetcher(session Session, address string, header []wire.Field) (*fetcher, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL", address)
	}
	f := &fetcher{session: session}
	f.request = wire.Request{
		Method: "GET", Scheme: u.Scheme, Host: u.Host, Path: u.RequestURI(), Header: header, Redirects: maxRedirects, KeepBody: true,
	}
	return f, nil
}

// get returns the body of what the address answers, valid until the next call,
// with the status, which says nothing about the body.
func (f *fetcher) get(ctx context.Context) (body []byte, status int, err error) {
	f.session.Do(ctx, &f.request, &f.answer)
	switch a := &f.answer; {
	case a.Kind == wire.Blocked:
		return nil, 0, errors.New("it leads to another host, which is never asked: write that one's address, if it is meant")
	case a.Err != nil && ctx.Err() != nil:
		return nil, 0, errors.New("no answer in time")
	case a.Err != nil:
		return nil, 0, a.Err
	case len(a.Body) > MaxBody:
		return nil, 0, fmt.Errorf("the answer has more than %d MiB", MaxBody>>20)
	default:
		return a.Body, a.Status, nil
	}
}

func (f *fetcher) close() { f.session.Close() }

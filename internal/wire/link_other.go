//go:build !unix

package wire

import "errors"

// rawIO is off where the poller hands out no socket that can be read and
// written without waiting: a link then uses plain Write and Read.
const rawIO = false

var errAgain = errors.New("unused: no raw sockets on this system")

func sysSend(uintptr, []byte) (int, error) { return 0, errAgain }
func sysRecv(uintptr, []byte) (int, error) { return 0, errAgain }
func sysPeek(uintptr, []byte) (int, error) { return 0, errAgain }

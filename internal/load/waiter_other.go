//go:build !linux

package load

import "errors"

func newAlarm() (waiter, error) { return nil, errors.ErrUnsupported }

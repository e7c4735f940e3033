package observe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// A command takes a number out of what a command prints.
type command struct {
	line    string
	pattern *regexp.Regexp
	run     func(ctx context.Context, line string) ([]byte, error)
}

func (c *command) read(ctx context.Context) ([]outcome, error) {
	out, err := c.run(ctx, c.line)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("the command took too long")
		}
		return nil, err
	}
	v, err := c.number(string(out))
	return []outcome{{v, err}}, nil
}

func (*command) close() {}

// number is the first group of the pattern where it first matches, or its whole
// match where it has no group.
func (c *command) number(printed string) (float64, error) {
	text := strings.TrimSpace(printed)
	if c.pattern != nil {
		found := c.pattern.FindStringSubmatch(printed)
		if found == nil {
			return 0, fmt.Errorf("nothing that the command printed matches the pattern %q", c.pattern)
		}
		text = found[min(1, len(found)-1)]
	}
	if text == "" && c.pattern == nil {
		return 0, errors.New("the command printed nothing")
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no number: write a pattern whose first group is one", cut(text))
	}
	return v, nil
}

package github

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// MaxHidden is the most that a comment keeps hidden, in bytes, and HiddenLine what
// that comes to as a line of it.
const (
	MaxHidden  = 6_000
	HiddenLine = len(hiddenHead) + (MaxHidden*4+2)/3 + len(markerTail) + 1
)

const hiddenHead = "<!-- loadline-data v1 "

// A Remark is a comment that somebody made.
type Remark struct {
	ID   int64
	By   string // login
	Body string // foreign
}

// A Conversation is what was said on a pull request.
type Conversation struct {
	Remarks []Remark // of all, oldest first; our own are left out
	// Hidden is what an earlier run hid in its comment under the key; nil when there
	// is none. Whoever may write to the repository could have changed it.
	Hidden []byte
	found  []*gh.IssueComment // that carry the key's marker, of any author
}

// Conversation reads all comments of a pull request, and what the comment under
// key hides.
func (c *Client) Conversation(ctx context.Context, pr int, key string) (*Conversation, error) {
	doing := fmt.Sprintf("reading the comments on #%d", pr)
	var talk Conversation
	err := c.comments(ctx, pr, time.Time{}, func(x *gh.IssueComment) {
		have, marked := parseMarker(x.GetBody())
		if marked && have.Key == key {
			talk.found = append(talk.found, x)
		}
		if !marked {
			talk.Remarks = append(talk.Remarks, Remark{ID: x.GetID(), By: x.GetUser().GetLogin(), Body: x.GetBody()})
		}
	})
	if err != nil {
		return nil, explain(doing, pullRead, err)
	}
	ours, err := c.ours(ctx, talk.found)
	if err != nil {
		return nil, explain(doing, pullRead, err)
	}
	slices.SortFunc(ours, byID)
	if len(ours) > 0 { // the oldest stays, see fold
		talk.Hidden = parseHidden(ours[0].GetBody())
	}
	return &talk, nil
}

// known are the marked comments, as the conversation has them that was read just
// now, or else as GitHub has them.
func (c *Client) known(ctx context.Context, m Comment) ([]*gh.IssueComment, error) {
	if m.Known != nil {
		return m.Known.found, nil
	}
	return c.marked(ctx, m, time.Time{})
}

// hidden is the line for Hidden. Base64 has no letter that could end an HTML
// comment.
func (m Comment) hidden() string {
	if len(m.Hidden) == 0 {
		return ""
	}
	return hiddenHead + base64.RawURLEncoding.EncodeToString(m.Hidden) + markerTail + "\n"
}

// parseHidden reads the second line of a comment; nil when it hides nothing, or
// nothing that can be read.
func parseHidden(body string) []byte {
	_, rest, _ := strings.Cut(body, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	line = strings.TrimSuffix(line, "\r") // GitHub stores what a form posts with CRLF
	line, ok := strings.CutPrefix(line, hiddenHead)
	if !ok {
		return nil
	}
	line, ok = strings.CutSuffix(line, markerTail)
	if !ok {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(line)
	if err != nil || len(data) == 0 || len(data) > MaxHidden {
		return nil
	}
	return data
}

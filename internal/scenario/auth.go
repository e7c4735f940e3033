package scenario

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// tokens fetches the access token of [http.auth] oauth2 and renews it in the
// background, on a session of its own: no user ever waits for it, and nothing of
// it is measured. The grant is client credentials (RFC 6749 section 4.4).
type tokens struct {
	set      *Set
	url      origin
	path     string
	id       string
	secret   string
	form     []byte // of the request, without the client
	asFields bool   // the client stands in the form, not in a header

	now    atomic.Pointer[token]
	cancel context.CancelFunc
	done   chan struct{}
}

// A token is the value of the Authorization field; stamp tells one from another.
type token struct {
	value string
	stamp uint64
	life  time.Duration // 0: it does not say
}

// Times of renewal: when three quarters of a token's life are over, and again
// soon where that failed.
const (
	renewAfter  = 0.75
	renewRetry  = 5 * time.Second
	shortestUse = time.Second
)

func newTokens(c *compiler, o *spec.OAuth2) (*tokens, error) {
	t := &tokens{set: c.set}
	var known [3]string
	for i, tmpl := range []*rule.Template{o.TokenURL, o.ClientID, o.ClientSecret} {
		v, err := c.text(tmpl)
		switch {
		case err != nil:
			return nil, err
		case v.fill != nil:
			return nil, errors.New("oauth2 is fetched before the load: it can name variables and secrets only")
		}
		known[i] = v.known
	}
	t.id, t.secret = known[1], known[2]
	t.url, t.path = locate(c.set.target, known[0], false)
	t.path = string(appendPath(nil, t.path, true))
	t.form = append(t.form, "grant_type=client_credentials"...)
	if len(o.Scopes) > 0 {
		t.form = rule.AppendQuery(append(t.form, "&scope="...), strings.Join(o.Scopes, " "))
	}
	if o.Audience != "" {
		t.form = rule.AppendQuery(append(t.form, "&audience="...), o.Audience)
	}
	return t, nil
}

// current is the token to send; empty before the first was fetched.
func (t *tokens) current() *token {
	if now := t.now.Load(); now != nil {
		return now
	}
	return &token{}
}

// start fetches the first token and begins to renew it.
func (t *tokens) start(ctx context.Context) error {
	if t.done != nil {
		return nil
	}
	session := t.set.newSession()
	if err := t.fetch(ctx, session); err != nil {
		session.Close()
		return err
	}
	ctx, t.cancel = context.WithCancel(ctx)
	t.done = make(chan struct{})
	go func() {
		defer close(t.done)
		defer session.Close()
		t.renew(ctx, session)
	}()
	return nil
}

func (t *tokens) close() {
	if t.done != nil {
		t.cancel()
		<-t.done
	}
}

// renew keeps the token fresh. Where it cannot be renewed the old one is sent on:
// what the target answers then is what users would see.
func (t *tokens) renew(ctx context.Context, session Session) {
	wait := t.current().use()
	for wait > 0 {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = renewRetry
		if t.fetch(ctx, session) == nil {
			wait = t.current().use()
		}
	}
}

// use is how long a token is used before it is renewed; 0 is for ever.
func (t *token) use() time.Duration {
	if t.life == 0 {
		return 0
	}
	return max(shortestUse, time.Duration(float64(t.life)*renewAfter))
}

// fetch asks for a token, with the client in a header first, as every server
// must take it (RFC 6749 section 2.3.1), and in the form where that is refused.
func (t *tokens) fetch(ctx context.Context, session Session) error {
	var resp wire.Response
	session.Do(ctx, t.request(), &resp)
	if !t.asFields && (resp.Status == 400 || resp.Status == 401) {
		t.asFields = true
		if session.Do(ctx, t.request(), &resp); resp.Status != 200 {
			t.asFields = false
		}
	}
	if err := t.take(&resp); err != nil {
		return fmt.Errorf("the token of http.auth.oauth2 could not be fetched from %s://%s%s: %w", t.url.scheme, t.url.host, t.path, err)
	}
	return nil
}

func (t *tokens) request() *wire.Request {
	req := &wire.Request{
		Method: "POST", Scheme: t.url.scheme, Host: t.url.host, Path: t.path, KeepBody: true, Body: t.form,
		Header: []wire.Field{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}, {Name: "Accept", Value: "application/json"}},
	}
	id, secret := rule.AppendQuery(nil, t.id), rule.AppendQuery(nil, t.secret)
	if t.asFields {
		req.Body = fmt.Appendf(nil, "%s&client_id=%s&client_secret=%s", t.form, id, secret)
		return req
	}
	both := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%s", id, secret))
	req.Header = append(req.Header, wire.Field{Name: "Authorization", Value: "Basic " + both})
	return req
}

// take makes the answer the current token.
func (t *tokens) take(resp *wire.Response) error {
	if resp.Err != nil {
		return resp.Err
	}
	if resp.Status != 200 {
		return fmt.Errorf("status %d; check client_id and client_secret", resp.Status)
	}
	var answer struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(resp.Body, &answer); err != nil || answer.AccessToken == "" {
		return errors.New("the answer has no access_token")
	}
	kind := answer.TokenType
	if kind == "" || strings.EqualFold(kind, "bearer") {
		kind = "Bearer"
	}
	seconds, err := answer.ExpiresIn.Float64()
	if err != nil || seconds < 0 || seconds > float64(1<<31) {
		seconds = 0
	}
	t.now.Store(&token{
		value: kind + " " + answer.AccessToken, stamp: t.current().stamp + 1,
		life: time.Duration(seconds * float64(time.Second)),
	})
	return nil
}

package github

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// A Config says how to reach a repository on GitHub.
type Config struct {
	Owner, Repo string
	Token       Token  // "": calls go out without one, and GitHub lets them read public things
	APIURL      string // as in GITHUB_API_URL; "": https://api.github.com
	UserAgent   string // GitHub refuses calls without one; "": "loadline"
	// DefaultBranch is refused as a Branch, so that a slip in a workflow file
	// cannot write to it. "" refuses nothing.
	DefaultBranch string
	Log           *slog.Logger      // is told of retries; nil: silent
	Transport     http.RoundTripper // nil: net/http's own, through the proxy that the environment names
}

// A Client makes calls about one repository. Its methods are safe for
// concurrent use, but GitHub asks that writes come one after another.
type Client struct {
	owner, repo   string
	defaultBranch string
	gh            *gh.Client
	transport     *transport
	log           *slog.Logger
}

// New checks the configuration and makes a Client. It makes no call.
func New(c Config) (*Client, error) {
	if c.Owner == "" || c.Repo == "" {
		return nil, errors.New("no repository to talk about: GITHUB_REPOSITORY is not set")
	}
	api := or(c.APIURL, "https://api.github.com")
	u, err := url.Parse(api)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("the address of GitHub's API, %q, is not an http or https URL; check the `github-api-url` input", api)
	}
	t := &transport{next: c.Transport, host: u.Host, token: c.Token, log: c.Log}
	if t.next == nil {
		t.next = http.DefaultTransport
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	// WithEnterpriseURLs adds /api/v3/ for a GitHub Enterprise Server and leaves
	// api. hosts as they are.
	client, err := gh.NewClient(&http.Client{Transport: t, CheckRedirect: sameHost}).WithEnterpriseURLs(api, api)
	if err != nil {
		return nil, fmt.Errorf("the address of GitHub's API: %w", err)
	}
	client.UserAgent = or(c.UserAgent, "loadline")
	return &Client{owner: c.Owner, repo: c.Repo, defaultBranch: c.DefaultBranch, gh: client, transport: t, log: t.log}, nil
}

// Calls is how many calls were sent to the API so far, retries included. GITHUB_TOKEN has
// 1,000 an hour for all jobs of a repository together.
func (c *Client) Calls() int { return int(c.transport.calls.Load()) }

const (
	backoffFirst = 500 * time.Millisecond
	backoffMost  = 30 * time.Second
)

// backoff is the wait after the given try, counted from 1: full jitter under a
// ceiling that doubles from 0.5 s to 30 s, but never so short that writers who
// collided once collide again at once.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func backoff(try int) time.Duration {
	ceiling := min(backoffFirst<<min(try-1, 16), backoffMost)
	return backoffFirst/5 + rand.N(ceiling)
}

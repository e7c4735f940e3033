package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
)

// A prometheus asks a Prometheus server for the value of each series now
// (prometheus.io/docs/prometheus/latest/querying/api, "Instant queries").
type prometheus struct {
	session Session
	queries []*fetcher
}

func newPrometheus(s *Source, session Session) reader {
	p := &prometheus{session: session}
	for i := range s.Series {
		address, err := url.Parse(s.Prometheus)
		if err != nil {
			return refused("its address is not a URL")
		}
		address = address.JoinPath("api/v1/query")
		asks := address.Query()
		asks.Set("query", s.Series[i].Query)
		address.RawQuery = asks.Encode()
		f, err := newFetcher(session, address.String(), s.Header)
		if err != nil {
			return refused(err.Error())
		}
		p.queries = append(p.queries, f)
	}
	return p
}

func (p *prometheus) read(ctx context.Context) ([]outcome, error) {
	all := make([]outcome, len(p.queries))
	for i, q := range p.queries {
		body, status, err := q.get(ctx)
		if err != nil {
			all[i].err = err // what the others told is known
			continue
		}
		all[i].value, all[i].err = queried(body, status)
	}
	return all, nil
}

func (p *prometheus) close() { p.session.Close() }

// queried reads the answer to an instant query. The API says why a query failed
// in a body of the same form.
func queried(body []byte, status int) (float64, error) {
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	err := json.Unmarshal(body, &answer)
	switch {
	case err != nil && status != 200:
		return 0, fmt.Errorf("it answered with status %d", status)
	case err != nil || answer.Status == "":
		return 0, errors.New("what it answered is not of the query API of Prometheus")
	case answer.Status != "success":
		return 0, fmt.Errorf("the query failed: %s", answer.Error)
	}
	switch answer.Data.Type {
	case "scalar":
		return point(answer.Data.Result)
	case "vector":
		var series []struct {
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(answer.Data.Result, &series); err != nil {
			return 0, errors.New("what it answered is not of the query API of Prometheus")
		}
		switch len(series) {
		case 0:
			return 0, errors.New("the query gives nothing")
		case 1:
			return point(series[0].Value)
		default:
			return 0, fmt.Errorf("the query gives %d series: choose one by its labels, or write sum(...)", len(series))
		}
	default:
		return 0, fmt.Errorf("the query gives a %s: ask for numbers of one moment", answer.Data.Type)
	}
}

// point reads a value with its moment, [1700000000.5, "3.5"].
func point(text json.RawMessage) (float64, error) {
	var pair [2]any
	if err := json.Unmarshal(text, &pair); err != nil {
		return 0, errors.New("what it answered is not of the query API of Prometheus")
	}
	number, _ := pair[1].(string)
	v, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil:
		return 0, errors.New("what it answered is not of the query API of Prometheus")
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, errors.New("the query gives no number just now")
	default:
		return v, nil
	}
}

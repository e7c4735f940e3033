package convert

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/oasdiff/yaml3"
)

// maxNodes is how many values of a YAML document are read. Aliases are followed,
// so a document of a few lines can have more than any memory holds.
const maxNodes = 200_000

var errNodes = errors.New("it has too many values")

// parseYAML reads a YAML document, or a JSON one, into the types of this package.
func parseYAML(text []byte) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("it is empty")
	}
	left := maxNodes
	return yamlValue(doc.Content[0], &left, 0)
}

func yamlValue(n *yaml.Node, left *int, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	if *left--; *left < 0 {
		return nil, errNodes
	}
	switch n.Kind {
	case yaml.AliasNode:
		return yamlValue(n.Alias, left, depth+1)
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			v, err := yamlValue(item, left, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case yaml.MappingNode:
		out := object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := yamlValue(n.Content[i+1], left, depth+1)
			if err != nil {
				return nil, err
			}
			name := n.Content[i].Value
			if merged, ok := v.(object); ok && n.Content[i].Tag == "!!merge" {
				out = append(out, merged...)
				continue
			}
			out = append(out, member{name, v})
		}
		return out, nil
	case yaml.ScalarNode:
		return yamlScalar(n), nil
	default:
		return nil, nil
	}
}

// yamlScalar gives a scalar by its resolved tag.
func yamlScalar(n *yaml.Node) any {
	text := strings.ToValidUTF8(n.Value, "\ufffd")
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(text, "true")
	case "!!int":
		var i int64
		if n.Decode(&i) == nil {
			return json.Number(strconv.FormatInt(i, 10))
		}
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
	}
	return text
}

package githubtest

import (
	"crypto/sha1" //nolint:gosec // git names its objects so
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// An object is a blob, a flat tree or a commit. Trees are kept flat, path to
// blob: what matters here is what they hold and that equal ones are one.
type object struct {
	blob    []byte
	tree    map[string]string
	commit  bool
	root    string // of a commit: its tree
	parents []string
	message string
}

func (s *Server) put(o object) string {
	var sum [20]byte
	switch {
	case o.commit:
		// The number of objects stands for the time in a real commit.
		sum = sha1.Sum(fmt.Appendf(nil, "commit %s %v %s %d", o.root, o.parents, o.message, len(s.objects))) //nolint:gosec // as above
	case o.tree != nil:
		text, _ := json.Marshal(o.tree)                  // a map of strings
		sum = sha1.Sum(append([]byte("tree "), text...)) //nolint:gosec // as above
	default:
		sum = sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(o.blob)), o.blob...)) //nolint:gosec // git's own rule
	}
	name := fmt.Sprintf("%x", sum)
	s.objects[name] = o
	return name
}

// Commit adds a commit of files on top of a branch, as somebody's push would.
func (s *Server) Commit(branch, message string, files map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ref := "refs/heads/" + branch
	o := object{commit: true, message: message}
	tree := map[string]string{}
	if head := s.refs[ref]; head != "" {
		o.parents = []string{head}
		tree = maps.Clone(s.objects[s.objects[head].root].tree)
	}
	for path, text := range files {
		tree[path] = s.put(object{blob: []byte(text)})
	}
	o.root = s.put(object{tree: tree})
	s.refs[ref] = s.put(o)
	return s.refs[ref]
}

// SetRef points a branch at a commit.
func (s *Server) SetRef(branch, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs["refs/heads/"+branch] = commit
}

// Files are a branch's files; nil when it does not exist.
func (s *Server) Files(branch string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := s.refs["refs/heads/"+branch]
	if head == "" {
		return nil
	}
	out := map[string]string{}
	for path, blob := range s.objects[s.objects[head].root].tree {
		out[path] = string(s.objects[blob].blob)
	}
	return out
}

// Log lists a branch's commit messages by first parent, newest first.
func (s *Server) Log(branch string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for at := s.refs["refs/heads/"+branch]; at != ""; {
		o := s.objects[at]
		out = append(out, o.message)
		at = ""
		if len(o.parents) > 0 {
			at = o.parents[0]
		}
	}
	return out
}

func (s *Server) refJSON(ref string) map[string]any {
	return map[string]any{"ref": ref, "object": map[string]any{"type": "commit", "sha": s.refs[ref]}}
}

func (s *Server) getRef(c *call) {
	ref := "refs/" + c.part[0]
	if s.refs[ref] == "" {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.answer(http.StatusOK, s.refJSON(ref))
}

func (s *Server) createRef(c *call) {
	ref := c.str("ref")
	switch {
	case !s.objects[c.str("sha")].commit:
		c.fail(http.StatusUnprocessableEntity, "Object does not exist")
	case s.refs[ref] != "":
		c.fail(http.StatusUnprocessableEntity, "Reference already exists")
	default:
		s.refs[ref] = c.str("sha")
		c.answer(http.StatusCreated, s.refJSON(ref))
	}
}

func (s *Server) updateRef(c *call) {
	ref, to := "refs/"+c.part[0], c.str("sha")
	force, _ := c.in["force"].(bool)
	switch {
	case s.refs[ref] == "":
		c.fail(http.StatusUnprocessableEntity, "Reference does not exist")
	case !s.objects[to].commit:
		c.fail(http.StatusUnprocessableEntity, "Object does not exist")
	case !force && !slices.Contains(s.ancestors(to), s.refs[ref]):
		c.fail(http.StatusUnprocessableEntity, "Update is not a fast forward")
	default:
		s.refs[ref] = to
		c.answer(http.StatusOK, s.refJSON(ref))
	}
}

// ancestors are a commit and all before it, nearest first.
func (s *Server) ancestors(commit string) []string {
	out := []string{commit}
	for i := 0; i < len(out); i++ {
		for _, p := range s.objects[out[i]].parents {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (s *Server) commitJSON(name string) map[string]any {
	o := s.objects[name]
	parents := []map[string]any{}
	for _, p := range o.parents {
		parents = append(parents, map[string]any{"sha": p})
	}
	return map[string]any{"sha": name, "message": o.message, "tree": map[string]any{"sha": o.root}, "parents": parents}
}

func (s *Server) getCommit(c *call) {
	if !s.objects[c.part[0]].commit {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.answer(http.StatusOK, s.commitJSON(c.part[0]))
}

func (s *Server) createCommit(c *call) {
	o := object{commit: true, root: c.str("tree"), message: c.str("message")}
	if s.objects[o.root].tree == nil {
		c.fail(http.StatusUnprocessableEntity, "Tree SHA does not exist or is not a tree object")
		return
	}
	parents, _ := c.in["parents"].([]any)
	for _, p := range parents {
		name, _ := p.(string)
		if !s.objects[name].commit {
			c.fail(http.StatusUnprocessableEntity, "Parent SHA does not exist or is not a commit object")
			return
		}
		o.parents = append(o.parents, name)
	}
	c.answer(http.StatusCreated, s.commitJSON(s.put(o)))
}

// tree finds a tree by its own name or by a commit's.
func (s *Server) tree(name string) (string, bool) {
	if o := s.objects[name]; o.commit {
		name = o.root
	}
	return name, s.objects[name].tree != nil
}

func (s *Server) treeJSON(name string) map[string]any {
	entries := []map[string]any{}
	dirs := map[string]bool{}
	for path, blob := range s.objects[name].tree {
		entries = append(entries, map[string]any{"path": path, "mode": "100644", "type": "blob", "sha": blob, "size": len(s.objects[blob].blob)})
		if dir, _, nested := strings.Cut(path, "/"); nested {
			dirs[dir] = true
		}
	}
	for dir := range dirs { // a recursive listing has the folders too
		entries = append(entries, map[string]any{"path": dir, "mode": "040000", "type": "tree", "sha": strings.Repeat("d", 40)})
	}
	return map[string]any{"sha": name, "tree": entries, "truncated": false}
}

func (s *Server) getTree(c *call) {
	name, ok := s.tree(c.part[0])
	if !ok {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.answer(http.StatusOK, s.treeJSON(name))
}

func (s *Server) createTree(c *call) {
	tree := map[string]string{}
	if base := c.str("base_tree"); base != "" {
		name, ok := s.tree(base)
		if !ok {
			c.fail(http.StatusUnprocessableEntity, "base_tree is not a valid tree oid")
			return
		}
		tree = maps.Clone(s.objects[name].tree)
	}
	list, _ := c.in["tree"].([]any)
	for _, x := range list {
		e, _ := x.(map[string]any)
		path, _ := e["path"].(string)
		content, inline := e["content"].(string)
		blob, named := e["sha"].(string)
		switch {
		case inline:
			tree[path] = s.put(object{blob: []byte(content)})
		case named && s.objects[blob].blob != nil:
			tree[path] = blob
		case named:
			c.fail(http.StatusUnprocessableEntity, "tree.sha "+blob+" is not a valid blob")
			return
		case tree[path] == "": // taking off what is not there
			c.fail(http.StatusUnprocessableEntity, "GitRPC::BadObjectState")
			return
		default:
			delete(tree, path)
		}
	}
	c.answer(http.StatusCreated, s.treeJSON(s.put(object{tree: tree})))
}

func (s *Server) getBlob(c *call) {
	o, ok := s.objects[c.part[0]]
	if !ok || o.commit || o.tree != nil {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	if strings.Contains(c.r.Header.Get("Accept"), "raw") {
		_, _ = c.w.Write(o.blob) // a recorder takes everything
		return
	}
	c.answer(http.StatusOK, map[string]any{"sha": c.part[0], "encoding": "base64", "size": len(o.blob), "content": base64.StdEncoding.EncodeToString(o.blob)})
}

func (s *Server) createBlob(c *call) {
	data, err := base64.StdEncoding.DecodeString(c.str("content"))
	if c.str("encoding") != "base64" || err != nil {
		c.fail(http.StatusUnprocessableEntity, "content is not valid Base64")
		return
	}
	if data == nil {
		data = []byte{}
	}
	c.answer(http.StatusCreated, map[string]any{"sha": s.put(object{blob: data})})
}

// commitish resolves a branch or a commit.
func (s *Server) commitish(name string) string {
	if head := s.refs["refs/heads/"+name]; head != "" {
		return head
	}
	if s.objects[name].commit {
		return name
	}
	return ""
}

func (s *Server) compare(c *call) {
	base, head := s.commitish(c.part[0]), s.commitish(c.part[1])
	if base == "" || head == "" {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	before := s.ancestors(head)
	for _, x := range s.ancestors(base) {
		if slices.Contains(before, x) {
			c.answer(http.StatusOK, map[string]any{"merge_base_commit": s.commitJSON(x)})
			return
		}
	}
	c.fail(http.StatusNotFound, "No common ancestor between the two")
}

func (s *Server) listCommits(c *call) {
	from := s.commitish(c.r.URL.Query().Get("sha"))
	if from == "" {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	out := []map[string]any{}
	for _, x := range s.ancestors(from) {
		if len(out) < 100 {
			out = append(out, s.commitJSON(x))
		}
	}
	c.answer(http.StatusOK, out)
}

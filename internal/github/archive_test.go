package github

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

// entry is one file of a zip, with what a hostile hand would set.
type entry struct {
	name  string
	text  string
	mode  fs.FileMode
	flags uint16
}

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Flags: e.flags}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		if err == nil && !strings.HasSuffix(e.name, "/") {
			_, err = f.Write([]byte(e.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stating changes the size that the zip's list states for its only file.
func stating(data []byte, size uint32) []byte {
	at := bytes.LastIndex(data, []byte("PK\x01\x02"))
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint32(out[at+24:], size)
	return out
}

func TestOpenArchiveRefuses(t *testing.T) {
	t.Parallel()
	many := make([]entry, maxArchiveFiles+1)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	one := pack(t, entry{name: "result.json", text: "{}"})
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "no whole zip"},
		{"truncated", one[:len(one)-10], "no whole zip"},
		{"too long", make([]byte, MaxArtifact+1), "more than 2097152 are not read"},
		{"too many files", pack(t, many...), "1001 files, and 1000 are the most"},
		{"zip slip", pack(t, entry{name: "../../.ssh/authorized_keys"}), `"../../.ssh/authorized_keys", which is no plain path`},
		{"within a path", pack(t, entry{name: "a/../../b"}), "no plain path"},
		{"from the root", pack(t, entry{name: "/etc/passwd"}), "no plain path"},
		{"a drive", pack(t, entry{name: "C:evil"}), "no plain path"},
		{"backslashes", pack(t, entry{name: `..\evil`}), "no plain path"},
		{"no name", pack(t, entry{name: ""}), "no plain path"},
		{"the folder itself", pack(t, entry{name: "./"}), "no plain path"},
		{"a command", pack(t, entry{name: "x\n::set-output name=verdict::pass"}), `"x ::set-output name=verdict::pass", which is no plain path`},
		{"an escape", pack(t, entry{name: "x\x1b[2J"}), "no plain path"},
		{"a long name", pack(t, entry{name: strings.Repeat("x", 60_000)}), "no plain path"},
		{"twice", pack(t, entry{name: "result.json", text: "{}"}, entry{name: "result.json", text: "[]"}), `"result.json" twice`},
		{"twice but for case", pack(t, entry{name: "result.json"}, entry{name: "RESULT.json"}), "twice"},
		{"a file and a folder", pack(t, entry{name: "result.json"}, entry{name: "result.json/"}), "twice"},
		{"a link", pack(t, entry{name: "result.json", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}), "a link or a device"},
		{"a device", pack(t, entry{name: "result.json", mode: fs.ModeDevice | 0o666}), "a link or a device"},
		{"encrypted", pack(t, entry{name: "result.json", flags: 1}), "encrypted"},
		{"a bomb", pack(t, entry{name: "result.json", text: strings.Repeat("\x00", 32<<20)}), "packed over 100 times"},
		{"a larger bomb", pack(t, entry{name: "result.json", text: strings.Repeat("\x00", 65<<20)}), "over 64 MiB unpacked"},
		{"a bomb that states four GiB", stating(pack(t, entry{name: "r", text: "x"}), 0xfffffffe), "over 64 MiB unpacked"},
	}
	for _, tt := range tests {
		_, err := OpenArchive(tt.data)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.300v, want %q", tt.name, err, tt.want)
			continue
		}
		if len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: the message is long, or holds control characters: %.300q", tt.name, err.Error())
		}
	}
}

// Many files that are each honest may still be too much together.
func TestOpenArchiveCountsAll(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	var all []entry
	for i := range 23 {
		all = append(all, entry{name: fmt.Sprint(i), text: string(noise)})
	}
	if data := pack(t, all...); len(data) <= MaxArtifact {
		if _, err := OpenArchive(data); err == nil || !strings.Contains(err.Error(), "unpacked it would have over 64 MiB") {
			t.Errorf("got %v", err)
		}
	} else {
		t.Fatalf("the test's own zip is too long: %d bytes", len(data))
	}
}

// A zip may state one size and hold another, or hold bytes that its checksum
// does not fit.
func TestReadFileHoldsTheZipToItsWord(t *testing.T) {
	t.Parallel()
	honest := pack(t, entry{name: "result.json", text: "0123456789"})
	broken := bytes.Clone(honest)
	broken[bytes.Index(broken, []byte("result.json"))+len("result.json")+2] ^= 0xff
	for name, data := range map[string][]byte{"more than it states": stating(honest, 3), "less": stating(honest, 4000), "other bytes": broken} {
		a, err := OpenArchive(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := a.ReadFile("result.json"); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	a, err := OpenArchive(honest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.ReadFile("other.json"); err == nil || !strings.Contains(err.Error(), `no file "other.json"`) {
		t.Errorf("got %v", err)
	}
}

func FuzzOpenArchive(f *testing.F) {
	f.Add(githubtest.Zip("result.json", "{}", "a/b", "c"))
	f.Add(pack(f, entry{name: "../x"}, entry{name: "d/"}, entry{name: "l", mode: fs.ModeSymlink}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := OpenArchive(data)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		total := 0
		for _, name := range a.Names() {
			if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\n\x1b") {
				t.Errorf("name %q", name)
			}
			text, _ := a.ReadFile(name)
			total += len(text)
		}
		if total > maxUnpacked {
			t.Errorf("%d bytes came out of %d", total, len(data))
		}
	})
}

package convert

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitShell(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       [][]string
	}{
		{"blanks", "curl  -s\thttp://a", [][]string{{"curl", "-s", "http://a"}}},
		{"single quotes", `a 'b c' 'd"e\n'`, [][]string{{"a", "b c", `d"e\n`}}},
		{"double quotes", `a "b 'c' \"d\" \\ \n $"`, [][]string{{"a", `b 'c' "d" \ \n $`}}},
		{"joined quotes", `a='b'"c"d`, [][]string{{"a=bcd"}}},
		{"a quote in single quotes", `'it'\''s'`, [][]string{{"it's"}}},
		{"empty words", `a '' "" $''`, [][]string{{"a", "", "", ""}}},
		{"backslashes", `a\ b \\ \'`, [][]string{{"a b", `\`, "'"}}},
		{"escapes of $'", `$'a\tb\nc\'d\\e\x41\u00e9\101\U0001F600'`, [][]string{{"a\tb\nc'd\\eAéA😀"}}},
		{"an escape without digits", `$'\xzz \q'`, [][]string{{`\xzz \q`}}},
		{"continued lines", "a \\\n  b\\\nc", [][]string{{"a", "bc"}}},
		{"lines of Windows", "a \\\r\n  b\r\nc", [][]string{{"a", "b"}, {"c"}}},
		{"several commands", "a 1; b 2 && c 3\nd & e", [][]string{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d"}, {"e"}}},
		{"comments", "# one\na b#c # two\nd", [][]string{{"a", "b#c"}, {"d"}}},
		{"a line that breaks off", `a \`, [][]string{{"a"}}},
		{"beyond ASCII", `a é\é "ü"`, [][]string{{"a", "éé", "ü"}}},
		{"nothing", " \n ; ", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			commands, err := splitShell(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for _, c := range commands {
				got = append(got, c.words)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSplitShellNotes: what a shell would do beside splitting is kept, and not done.
func TestSplitShellNotes(t *testing.T) {
	t.Parallel()
	commands, err := splitShell("a $X \"${Y}\" '$no' `date` 5$ | jq . > out\nb")
	if err != nil || len(commands) != 2 {
		t.Fatal(commands, err)
	}
	if diff := cmp.Diff([]string{"$X", "${Y}", "`date`", "`"}, commands[0].expands); diff != "" {
		t.Errorf("expands (-want +got):\n%s", diff)
	}
	if got, want := commands[0].after, "| jq . > out"; got != want {
		t.Errorf("after %q, want %q", got, want)
	}
}

func TestCurlOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want []curlOption
	}{
		{"long", []string{"--header", "a: b", "--get"}, []curlOption{{"header", "a: b"}, {name: "get"}}},
		{"short", []string{"-X", "PUT", "-XGET"}, []curlOption{{"request", "PUT"}, {"request", "GET"}}},
		{"joined", []string{"-sSLo", "x", "-kuada:pw"}, []curlOption{
			{name: "silent"}, {name: "show-error"}, {name: "location"}, {"output", "x"}, {name: "insecure"}, {"user", "ada:pw"},
		}},
		{"a value like an option", []string{"-d", "-x", "--data-raw", "--json"}, []curlOption{{"data", "-x"}, {"data-raw", "--json"}}},
		{"an unknown one takes no value", []string{"--new-thing", "http://a"}, []curlOption{{name: "new-thing"}, {"url", "http://a"}}},
		{"the last without its value", []string{"http://a", "-d"}, []curlOption{{"url", "http://a"}, {name: "data"}}},
		{"two dashes", []string{"--", "http://a", "-"}, []curlOption{{"url", "http://a"}, {"url", "-"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, curlOptions(tt.args), cmp.AllowUnexported(curlOption{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

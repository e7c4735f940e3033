package rule

import (
	"fmt"
	"math/bits"
	"time"
)

// A function is what {{ name() }} can call.
type function uint8

const (
	noFunction function = iota
	fnUUID
	fnRandomInt
	fnRandomFloat
	fnRandomString
	fnPick
	fnNow
	fnUnix
	fnUnixMS
	fnSeq
)

var functionNames = [...]string{"", "uuid", "random_int", "random_float", "random_string", "pick", "now", "unix", "unix_ms", "seq"}

// A signature says how a function is called.
type signature struct {
	fn       function
	min, max int // arguments
	usage    string
}

const manyArguments = 1 << 10

var functions = map[string]signature{
	"uuid":          {fnUUID, 0, 0, "uuid()"},
	"random_int":    {fnRandomInt, 2, 2, "random_int(1, 6)"},
	"random_float":  {fnRandomFloat, 2, 2, "random_float(0, 1)"},
	"random_string": {fnRandomString, 1, 1, "random_string(8)"},
	"pick":          {fnPick, 1, manyArguments, "pick('a', 'b')"},
	"now":           {fnNow, 0, 1, "now()"},
	"unix":          {fnUnix, 0, 0, "unix()"},
	"unix_ms":       {fnUnixMS, 0, 0, "unix_ms()"},
	"seq":           {fnSeq, 1, 1, "seq(orders)"},
}

// foreignFunctions are words of other tools for our functions.
var foreignFunctions = map[string]string{
	"randomInt": "random_int", "randint": "random_int", "$randomNumber": "random_int", "randomNumber": "random_int", "random": "random_int",
	"randomString": "random_string", "uuidv4": "uuid", "uuid4": "uuid", "guid": "uuid", "choice": "pick", "sample": "pick",
	"timestamp": "unix", "epoch": "unix", "date": "now", "counter": "seq", "sequence": "seq", "next": "seq",
}

// layouts are the names that now() takes beside a layout of Go's time package.
var layouts = map[string]string{
	"rfc3339": time.RFC3339, "rfc3339nano": time.RFC3339Nano, "rfc1123": "Mon, 02 Jan 2006 15:04:05 GMT",
	"date": time.DateOnly, "time": time.TimeOnly, "datetime": time.DateTime,
}

// maxRandomString bounds random_string: what a request could carry, not what
// would fill the memory of the generator.
const maxRandomString = 1 << 16

// call reads the arguments of a call whose name was read.
func (p *parser) call(name string, at int) (term, *Error) {
	sig, ok := functions[name]
	if !ok {
		hint := didYouMean(name, foreignFunctions, functionNames[1:])
		if _, isFilter := filterKinds[name]; isFilter {
			hint = `it is a filter: write "{{ value | ` + name + ` }}"`
		}
		return term{}, p.fail(at, hint, "unknown function %q", name)
	}
	args, err := p.arguments()
	if err != nil {
		return term{}, err
	}
	if len(args) < sig.min || len(args) > sig.max {
		return term{}, p.fail(at, "write it as "+sig.usage, "%s with %s", name, plural(len(args), "argument"))
	}
	t := term{fn: sig.fn, args: args}
	if sig.fn == fnSeq { // its argument is a label, not a variable
		if args[0].name == "" && args[0].lit.kind != kindText {
			return term{}, p.fail(at, "write it as "+sig.usage, "seq needs a name")
		}
		if args[0].name == "" {
			return t, nil
		}
		t.args = []term{{lit: textVal(args[0].name)}}
		return t, nil
	}
	if err := t.check(); err != nil {
		return term{}, p.fail(at, "write it as "+sig.usage, "%s", err)
	}
	return t, nil
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "one " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}

// check tries a call whose arguments are all literals, so that a wrong one is
// found before the load.
func (t *term) check() error {
	for i := range t.args {
		if t.args[i].name != "" {
			return nil
		}
	}
	_, err := t.evalCall(fixedEnv{})
	return err
}

// fixedEnv stands in when a call is tried.
type fixedEnv struct{}

func (fixedEnv) Lookup(string) (Value, bool) { return nil, false }
func (fixedEnv) Uint64() uint64              { return 0 }
func (fixedEnv) Next(string) int64           { return 1 }

// appendCall writes the text that a call makes behind dst; ok is false for calls
// whose value is not text.
func (t *term) appendCall(dst []byte, env Env) (out []byte, ok bool, err error) {
	if env == nil {
		return dst, true, errNoEnv
	}
	switch t.fn {
	case fnUUID:
		return appendUUID(dst, env.Uint64(), env.Uint64()), true, nil
	case fnRandomString:
		n, err := t.whole(0, env)
		if err != nil || n < 0 || n > maxRandomString {
			return dst, true, t.wrong("a length from 0 to %d", maxRandomString)
		}
		return appendRandom(dst, int(n), env), true, nil
	case fnNow:
		layout := time.RFC3339
		if len(t.args) == 1 {
			v, err := t.args[0].eval(env)
			if err != nil {
				return dst, true, err
			}
			layout = v.text()
			if named, ok := layouts[layout]; ok {
				layout = named
			}
		}
		return time.Now().UTC().AppendFormat(dst, layout), true, nil
	default:
		return dst, false, nil
	}
}

func (t *term) evalCall(env Env) (val, error) {
	if text, ok, err := t.appendCall(nil, env); ok {
		return textVal(string(text)), err
	}
	switch t.fn {
	case fnRandomInt:
		a, errA := t.whole(0, env)
		b, errB := t.whole(1, env)
		if errA != nil || errB != nil || a > b {
			return val{}, t.wrong("two whole numbers, the smaller first")
		}
		// b-a+1 wraps to 0 only for the whole range, where any value will do.
		return intVal(a + int64(below(env.Uint64(), uint64(b-a)+1))), nil
	case fnRandomFloat:
		a, errA := t.number(0, env)
		b, errB := t.number(1, env)
		if errA != nil || errB != nil || a > b {
			return val{}, t.wrong("two numbers, the smaller first")
		}
		unit := float64(env.Uint64()>>11) / (1 << 53)
		return val{kind: kindFloat, f: a + (b-a)*unit}, nil
	case fnPick:
		return t.args[below(env.Uint64(), uint64(len(t.args)))].eval(env)
	case fnUnix:
		return intVal(time.Now().Unix()), nil
	case fnUnixMS:
		return intVal(time.Now().UnixMilli()), nil
	default: // fnSeq
		return intVal(env.Next(t.args[0].lit.s)), nil
	}
}

// wrong is the error for arguments that do not fit.
func (t *term) wrong(format string, args ...any) error {
	return fmt.Errorf("%s needs %s", functionNames[t.fn], fmt.Sprintf(format, args...))
}

func (t *term) number(i int, env Env) (float64, error) {
	v, err := t.args[i].eval(env)
	if err != nil {
		return 0, err
	}
	f, ok := v.number()
	if !ok {
		return 0, errNotNumber
	}
	return f, nil
}

func (t *term) whole(i int, env Env) (int64, error) {
	v, err := t.args[i].eval(env)
	if err != nil {
		return 0, err
	}
	return v.toInt()
}

// below maps a random x to 0..n-1 (all of uint64 when n is 0) by the high half
// of x*n; the bias of at most n/2^64 is far below what a load could show.
func below(x, n uint64) uint64 {
	if n == 0 {
		return x
	}
	hi, _ := bits.Mul64(x, n)
	return hi
}

const hexDigits = "0123456789abcdef"

// appendUUID writes a random UUID, version 4 (RFC 9562 section 5.4).
func appendUUID(dst []byte, hi, lo uint64) []byte {
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 1<<63
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		word := hi
		if i >= 16 {
			word = lo
		}
		dst = append(dst, hexDigits[word>>(60-4*(i%16))&15])
	}
	return dst
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func appendRandom(dst []byte, n int, env Env) []byte {
	for range n {
		dst = append(dst, letters[below(env.Uint64(), uint64(len(letters)))])
	}
	return dst
}

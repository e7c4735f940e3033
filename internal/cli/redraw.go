package cli

import (
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/report"
)

// redraw shows a run in place, below what was written before.
//
// Bubble Tea draws; it is given no input and leaves signals alone, so the
// terminal stays as it is: Ctrl-C is the signal it always was, and whatever way
// the program ends, even killed, there is no mode to undo.
func redraw(env *Env, hub *live.Hub) (watched *Env, done func()) {
	p := tea.NewProgram(
		&view{screen: env.Progress},
		tea.WithInput(nil), tea.WithOutput(env.Stderr), tea.WithEnvironment(env.Environ()),
		tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond),
	)
	var drawing sync.WaitGroup
	drawing.Go(func() { _, _ = p.Run() }) // it fails where the terminal went away
	stop := hub.Follow(func(row *live.Row) { p.Send(row) })
	inner := *env
	inner.Stderr = &above{program: p}
	return &inner, func() {
		hub.Close()
		stop()
		p.Send(wipe{})
		p.Quit()
		drawing.Wait()
	}
}

// ownShape, not blinking, is style 0 of DECSCUSR in Bubble Tea's reckoning: the
// cursor stays as the user likes it.
const ownShape tea.CursorShape = -1

// framesPerSecond is as often as a frame may change: a row comes each second, and
// a message now and then.
const framesPerSecond = 10

// wipe ends the view: nothing of it stays.
type wipe struct{}

// tick lets the time go on that is waited for a target.
type tick time.Time

func nextTick() tea.Cmd {
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return tick(t) })
}

// A view is what Bubble Tea asks for frames.
type view struct {
	watch         report.Watch
	screen        Terminal
	width, height int
	now           time.Time
	gone          bool
}

// Init starts the clock.
func (v *view) Init() tea.Cmd {
	v.now = time.Now()
	return nextTick()
}

// Update takes in a row, a new size, or that time went on.
func (v *view) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	v.now = time.Now()
	switch msg := msg.(type) {
	case *live.Row:
		v.watch.Add(msg, v.now)
	case tea.WindowSizeMsg:
		v.width, v.height = msg.Width, msg.Height
	case tick:
		return v, nextTick()
	case wipe:
		v.gone = true
	}
	return v, nil
}

// View is the frame to show.
func (v *view) View() tea.View {
	var lines []string
	if !v.gone {
		width := v.width
		if width == 0 {
			width = v.screen.Width
		}
		lines = v.watch.Frame(report.Terminal{
			Width: width, Height: max(v.height-1, 0), Colour: v.screen.Color, Unicode: v.screen.Unicode,
		}, v.now)
	}
	out := tea.NewView(strings.Join(lines, "\n"))
	out.DisableBracketedPasteMode = true
	// Shown, as a hidden cursor would have to be given back, and at the end, where
	// the ^C that a terminal writes is in nobody's way.
	out.Cursor = tea.NewCursor(0, 0)
	if n := len(lines); n > 0 {
		out.Cursor = tea.NewCursor(report.Columns(lines[n-1]), n-1)
	}
	out.Cursor.Shape, out.Cursor.Blink = ownShape, false
	return out
}

// above writes messages above the view.
type above struct {
	program *tea.Program
	mu      sync.Mutex
	part    strings.Builder // of a line that is not whole yet
}

// Write passes on whole lines.
func (a *above) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.part.Write(p)
	text := a.part.String()
	i := strings.LastIndexByte(text, '\n')
	if i < 0 {
		return len(p), nil
	}
	a.part.Reset()
	a.part.WriteString(text[i+1:])
	a.program.Send(tea.Println(text[:i])()) // Program.Println would wait for one that is over
	return len(p), nil
}

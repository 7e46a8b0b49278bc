package demo

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal draws frames in place: each over the one before. It is used by the display only.
type terminal struct {
	file  *os.File
	size  Screen // of the last frame
	lines int    // drawn by the last frame
}

// openTerminal returns a terminal if out is one that can move its cursor, else nil.
func openTerminal(out io.Writer) *terminal {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &terminal{file: file}
}

// screen asks anew each time: people resize windows.
func (t *terminal) screen() Screen {
	width, height, err := term.GetSize(int(t.file.Fd()))
	if err != nil || width < 1 || height < 1 {
		width, height = 80, 24
	}
	return Screen{Width: width, Height: height, Colours: os.Getenv("NO_COLOR") == ""}
}

// draw shows the frame. The cursor stays visible and rests below the picture, so that a process that dies leaves a usable
// terminal behind.
func (t *terminal) draw(frame Frame) error {
	screen := t.screen()
	lines := frame.Render(screen)
	text := redraw(lines, t.lines, t.size != screen && t.lines > 0)
	t.lines, t.size = len(lines), screen
	if _, err := io.WriteString(t.file, text); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// redraw is the text that puts lines over the last picture of drawn lines, written at once so that no half picture shows.
// After a resize the old lines may have wrapped, and where they are is anyone's guess: then the screen is cleared.
func redraw(lines []string, drawn int, resized bool) string {
	var out strings.Builder
	switch {
	case resized:
		out.WriteString("\x1b[2J\x1b[H")
	case drawn > 0:
		fmt.Fprintf(&out, "\x1b[%dA\r", drawn)
	}
	for _, l := range lines {
		out.WriteString(l + "\x1b[K\n")
	}
	out.WriteString("\x1b[J")
	return out.String()
}

package registry

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzAnswer holds that no answer of a registry makes the client panic or ask again without a pause, that errors are one
// short line, and that a schema comes with each reference once.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"schema":"\"string\""}`, `{}`)
	f.Add(200, `{"schema":"{}","schemaType":"PROTOBUF","references":[{"name":"a","subject":"s","version":1},{"name":"a","subject":"s","version":1}]}`, `{"schema":"x"}`)
	f.Add(200, `{"schema":"x","references":[{"name":"a","subject":"s","version":1}]}`,
		`{"schema":"y","references":[{"name":"a","subject":"s","version":1},{"name":"b","subject":"../..?x","version":-1}]}`)
	f.Add(200, `{"schemaType":7}`, ``)
	f.Add(404, `{"error_code":40403,"message":"`+strings.Repeat("no ", 500)+`"}`, ``)
	f.Add(422, "<html>\n\xff", ``)
	f.Add(301, ``, ``)
	f.Fuzz(func(t *testing.T, code int, answer, reference string) {
		if code < 200 || code > 599 {
			return // no final answer of HTTP
		}
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			client, _ := newTest(t, Config{}, network{"a": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				body := reference
				if strings.HasPrefix(r.URL.Path, "/schemas/ids/") {
					body = answer
				}
				w.WriteHeader(code)
				_, _ = w.Write([]byte(body))
			})})
			checkAnswer(t, client)
			if asked > maxReferences+100 {
				t.Fatalf("asked %d times in a minute", asked)
			}
		})
	})
}

// checkAnswer asks for a schema, for a minute at most: what may be the fault of something in between is asked for again.
func checkAnswer(t *testing.T, client *Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // virtual
	defer cancel()
	time.AfterFunc(50*time.Second, func() {
		if err := client.Waiting(); err != nil {
			checkLine(t, err)
		}
	})
	schema, err := client.Schema(ctx, 7)
	if err != nil {
		checkLine(t, err)
		return
	}
	seen := map[string]bool{}
	for _, r := range schema.References {
		if seen[r.Name] {
			t.Errorf("reference %q comes twice", r.Name)
		}
		seen[r.Name] = true
	}
}

func checkLine(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); len(text) > 600 || strings.Contains(text, "\n") {
		t.Errorf("%d bytes: %.2000s", len(text), text)
	}
}

// Command search measures the full-text index of package search: `go run ./tests/bench/search`. It fills a database in a
// temporary folder and prints what searching in it takes. Nothing passes or fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"timbre/search"
	"timbre/sqlite"
)

const (
	small = 1000 // conversations that share nine tenths of the messages
	large = small + 1
	page  = 20
)

type bench struct {
	*corpus
	db     *sqlite.DB
	index  *search.Index
	places [large + 1]int64
	row    int64
}

func main() {
	messages := flag.Int("messages", 1_000_000, "how many messages")
	batch := flag.Int("batch", 4000, "messages in a transaction while the index is built")
	rounds := flag.Int("rounds", 300, "searches per figure")
	path := flag.String("file", "", "keep the database here, or search in the one that is here")
	flag.Parse()
	if *path == "" {
		dir, err := os.MkdirTemp("", "timbre-search-")
		check(err)
		defer os.RemoveAll(dir)
		*path = filepath.Join(dir, "search.db")
	}
	_, err := os.Stat(*path)
	old := err == nil
	b := &bench{corpus: newCorpus(), index: search.New("message_index")}
	b.db, err = sqlite.Open(sqlite.Config{Path: *path, CacheMB: 64, Schemas: []sqlite.Schema{search.Schema("message_index")}})
	check(err)
	defer b.db.Close()
	fmt.Printf("%d Chinese messages of 15-40 characters, a tenth of them in one conversation, the rest in %d\n", *messages, small)
	if !old {
		b.build(*messages, *batch)
		b.single()
	}
	b.size(*messages)
	fmt.Printf("keywords are drawn from messages, so common ones come often; %d searches a line, warm, newest page = %d hits\n", *rounds, page)
	fmt.Printf("%-62s %9s %9s %9s  %s\n", "", "p50", "p99", "longest", "hits on average, at most")
	for _, n := range []int{1, 2, 4} {
		b.searches(n, *rounds)
	}
	b.commonest(*rounds)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func (b *bench) next() search.Doc {
	conv := int64(large)
	if b.rand.IntN(10) > 0 {
		conv = 1 + b.rand.Int64N(small)
	}
	b.places[conv]++
	b.row++
	return search.Doc{Conv: conv, Place: b.places[conv], Row: b.row, Time: 1_700_000_000_000 + b.row*1000}
}

func (b *bench) put(n int) {
	check(b.db.Write(context.Background(), func(tx *sqlite.Tx) error {
		for range n {
			if err := b.index.Put(tx, b.next(), b.message()); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (b *bench) build(messages, batch int) {
	start := time.Now()
	for left := messages; left > 0; left -= batch {
		b.put(min(batch, left))
	}
	took := time.Since(start)
	fmt.Printf("build, %d messages a transaction: %.1f s, %.0f µs a message\n", batch, took.Seconds(), float64(took.Microseconds())/float64(messages))
}

// single is what a message costs that comes alone.
func (b *bench) single() {
	const n = 2000
	start := time.Now()
	for range n {
		b.put(1)
	}
	fmt.Printf("one more message, a transaction of its own: %.0f µs\n", float64(time.Since(start).Microseconds())/n)
}

func (b *bench) size(messages int) {
	var tables, text int64
	b.read(func(r sqlite.Queryer) error {
		const pages = `SELECT sum(length(block)) FROM message_index_text_data`
		_, err := r.Get(pages, []any{&text})
		if err != nil {
			return err
		}
		_, err = r.Get(`SELECT page_count*page_size FROM pragma_page_count, pragma_page_size`, []any{&tables})
		return err
	})
	fmt.Printf("size: %.0f MB, %.0f bytes a message (%.0f MB of it lists of words; the messages themselves are not in it)\n",
		float64(tables)/1e6, float64(tables)/float64(messages), float64(text)/1e6)
}

func (b *bench) read(fn func(sqlite.Queryer) error) { check(b.db.Read(context.Background(), fn)) }

func (b *bench) searches(n, rounds int) {
	what := fmt.Sprintf("%d character, ", n)
	keywords := make([]search.Query, rounds)
	for i := range keywords {
		keywords[i].Keywords = []string{b.keyword(n)}
	}
	b.figures(what, keywords)
}

// commonest is the worst case: the first words of the list.
func (b *bench) commonest(rounds int) {
	var keywords []search.Query
	for i := 0; len(keywords) < 10; i++ {
		if len([]rune(b.words[i])) == 2 {
			keywords = append(keywords, search.Query{Keywords: []string{b.words[i]}})
		}
	}
	for len(keywords) < rounds {
		keywords = append(keywords, keywords[len(keywords)-10])
	}
	b.figures("10 commonest words, ", keywords)
}

// figures measures every way to search with the same keywords.
func (b *bench) figures(what string, keywords []search.Query) {
	b.line(what+"newest page, conversation of a tenth", keywords, b.page(search.Whole(large)))
	b.line(what+"newest page, conversation of few", keywords, b.page(search.Whole(7)))
	b.line(what+"totals and newest hit of every conversation", keywords, b.totals())
	var some []search.Span
	for conv := int64(1); conv <= 50; conv++ {
		some = append(some, search.Whole(conv))
	}
	b.line(what+"the same, 50 given conversations", keywords, b.totals(some...))
	filtered := slices.Clone(keywords)
	for i := range filtered {
		filtered[i].Where, filtered[i].Args = `hit.time>=?`, []any{0}
	}
	b.line(what+"totals with a filter that looks at each hit", filtered[:len(filtered)/3], b.totals())
}

func (b *bench) page(in search.Span) func(sqlite.Queryer, search.Query) (int, error) {
	return func(r sqlite.Queryer, q search.Query) (int, error) {
		_, total, err := b.index.Page(r, q, in, 0, page)
		return total, err
	}
}

func (b *bench) totals(in ...search.Span) func(sqlite.Queryer, search.Query) (int, error) {
	return func(r sqlite.Queryer, q search.Query) (n int, err error) {
		all, err := b.index.Totals(r, q, in...)
		for _, h := range all {
			n += h.Count
		}
		return n, err
	}
}

func (b *bench) line(what string, keywords []search.Query, run func(sqlite.Queryer, search.Query) (int, error)) {
	var times []time.Duration
	sum, most := 0, 0
	for _, q := range keywords {
		b.read(func(r sqlite.Queryer) error {
			start := time.Now()
			n, err := run(r, q)
			times = append(times, time.Since(start))
			sum, most = sum+n, max(most, n)
			return err
		})
	}
	slices.Sort(times)
	ms := func(i int) float64 { return float64(times[i].Microseconds()) / 1000 }
	fmt.Printf("%-62s %6.1f ms %6.1f ms %6.1f ms  %d, %d\n", what, ms(len(times)/2), ms(len(times)*99/100), ms(len(times)-1), sum/len(times), most)
}

package writer

// Date and AppendDate against time.Format.

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT" // RFC 9110 §5.6.7

// instants are what Date is tried with: the ends of every year and of every
// February of 10 000 years, the neighbourhood of days and minutes, and thousands
// at random.
func instants() []int64 {
	var list []int64
	for year := 0; year <= 9999; year++ {
		jan := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		mar := time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC).Unix()
		list = append(list, jan, mar-1, mar)
		if year > 0 {
			list = append(list, jan-1)
		}
	}
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for i := range int64(366) {
		list = append(list, day+i*86400, day+i*86400-1)
	}
	for s := range int64(7200) {
		list = append(list, 951782400-3600+s) // around 2000-02-29
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		list = append(list, minUnix+rng.Int64N(maxUnix-minUnix+1))
	}
	return append(list, 0, -1, 1, minUnix, maxUnix)
}

// RFC 9110 §5.6.7 and §6.6.1.
func TestDateAgainstTimeFormat(t *testing.T) {
	var moving Date // its second changes, its day sometimes
	for _, unix := range instants() {
		text := time.Unix(unix, 0).UTC().Format(imfFixdate)
		want := "Date: " + text + "\r\n"
		moving.Update(unix)
		if got := string(moving.Append(nil)); got != want {
			t.Fatalf("moved to %d: %q, want %q", unix, got, want)
		}
		var fresh Date
		fresh.Update(unix)
		if got := string(fresh.Append([]byte("|"))); got != "|"+want {
			t.Fatalf("fresh at %d: %q, want %q", unix, got, want)
		}
		if got := string(AppendDate([]byte("|"), unix)); got != "|"+text {
			t.Fatalf("AppendDate(%d) = %q, want %q", unix, got, text)
		}
	}
}

// RFC 9110 §5.6.7's own example.
func TestDateRFC9110Example(t *testing.T) {
	var d Date
	d.Update(784111777)
	if got := string(d.Append(nil)); got != "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" {
		t.Errorf("Date = %q", got)
	}
}

// RFC 9110 §6.6.1: without a clock, no Date.
func TestDateZeroValue(t *testing.T) {
	var d Date
	if got := string(d.Append([]byte("|"))); got != "|" {
		t.Errorf("the zero Date appends %q", got)
	}
	d.Update(0)
	if got := string(d.Append(nil)); got != "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" {
		t.Errorf("after Update(0): %q", got)
	}
}

// The format has four digits for the year: instants beyond are clamped to its ends.
func TestDateClamps(t *testing.T) {
	for unix, want := range map[int64]string{
		maxUnix + 1:   "Fri, 31 Dec 9999 23:59:59 GMT",
		math.MaxInt64: "Fri, 31 Dec 9999 23:59:59 GMT",
		minUnix - 1:   "Sat, 01 Jan 0000 00:00:00 GMT",
		math.MinInt64: "Sat, 01 Jan 0000 00:00:00 GMT",
	} {
		var d Date
		d.Update(12345)
		d.Update(unix)
		if got := string(d.Append(nil)); got != "Date: "+want+"\r\n" {
			t.Errorf("at %d: %q, want %q", unix, got, want)
		}
		if got := string(AppendDate(nil, unix)); got != want {
			t.Errorf("AppendDate(%d) = %q, want %q", unix, got, want)
		}
		d.Update(784111777)
		if got := string(d.Append(nil)); got != "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" {
			t.Errorf("after %d: %q", unix, got)
		}
	}
}

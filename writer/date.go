package writer

// The Date line changes once a second, so it is kept formatted, and sending it is a
// copy of a fixed 37 bytes. A new second rewrites six digits; a new day, everything.
// The time is an argument, in seconds.

const (
	dateLine  = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	dateOff   = len("Date: ")
	clockOff  = len("Thu, 01 Jan 1970 ")
	dateSize  = len("Thu, 01 Jan 1970 00:00:00 GMT")
	daySecs   = 24 * 60 * 60
	dayNames  = "ThuFriSatSunMonTueWed" // 1 January 1970 was a Thursday
	monthName = "JanFebMarAprMayJunJulAugSepOctNovDec"

	minUnix = -62167219200 // 0000-01-01T00:00:00Z
	maxUnix = 253402300799 // 9999-12-31T23:59:59Z
)

// Date is the Date field line of one loop, ready to be sent. The zero value
// appends nothing until its first Update: a sender without a clock must not
// send a Date (RFC 9110 §6.6.1). It is not safe for concurrent use; it may be copied.
type Date struct {
	unix int64
	set  bool
	line [len(dateLine)]byte
}

// Update sets the line to unix, in seconds since 1970 UTC (Unix time). It returns at
// once if that is its value already. Instants outside the years 0 to 9999, which the
// format cannot express, become the nearest that can be expressed. It never allocates.
func (d *Date) Update(unix int64) {
	if unix == d.unix && d.set {
		return
	}
	d.update(unix)
}

func (d *Date) update(unix int64) {
	clamped := clampUnix(unix)
	if d.set && floorDays(clamped) == floorDays(clampUnix(d.unix)) {
		putClock(d.line[dateOff+clockOff:], int(clamped-floorDays(clamped)*daySecs))
	} else {
		copy(d.line[:], dateLine)
		putDate(d.line[dateOff:dateOff+dateSize], clamped)
	}
	d.unix, d.set = unix, true
}

// Append appends the whole line, "Date: Sun, 06 Nov 1994 08:49:37 GMT" and CRLF, or
// nothing before the first Update.
func (d *Date) Append(dst []byte) []byte {
	if !d.set {
		return dst
	}
	return append(dst, d.line[:]...)
}

// Unix returns the time of the last Update, in seconds since 1970 UTC.
func (d *Date) Unix() int64 { return d.unix }

// AppendDate appends unix, in seconds since 1970 UTC, as an IMF-fixdate
// (RFC 9110 §5.6.7), the format of Last-Modified and Expires. Instants outside
// the years 0 to 9999 become the nearest that can be expressed.
func AppendDate(dst []byte, unix int64) []byte {
	dst = append(dst, dateLine[dateOff:dateOff+dateSize]...)
	putDate(dst[len(dst)-dateSize:], clampUnix(unix))
	return dst
}

func clampUnix(unix int64) int64 { return min(max(unix, minUnix), maxUnix) }

// floorDays returns the number of days since 1 January 1970, rounded down.
func floorDays(unix int64) int64 {
	return (unix-minUnix)/daySecs + minUnix/daySecs
}

// putDate overwrites weekday, date and time of day in b.
func putDate(b []byte, unix int64) {
	days := floorDays(unix)
	year, month, day := civil(days)
	weekday := int((days%7 + 7) % 7)
	copy(b, dayNames[3*weekday:3*weekday+3])
	put2(b[5:], day)
	copy(b[8:], monthName[3*month-3:3*month])
	put2(b[12:], year/100)
	put2(b[14:], year%100)
	putClock(b[clockOff:], int(unix-days*daySecs))
}

// putClock overwrites hh:mm:ss in b; secs counts from midnight.
func putClock(b []byte, secs int) {
	_ = b[7]
	put2(b, secs/3600)
	put2(b[3:], secs/60%60)
	put2(b[6:], secs%60)
}

func put2(b []byte, n int) {
	_ = b[1]
	b[0] = byte('0' + n/10)
	b[1] = byte('0' + n%10)
}

// civil returns the Gregorian date of a day counted from 1 January 1970, for
// the years 0 to 9999. It counts years from March, so that the leap day is the
// last of its year and the lengths of the months before it repeat every five.
func civil(days int64) (year, month, day int) {
	const (
		perEra = 146097 // days in 400 years
		// From 1 March of the year -400 to 1 January 1970: 6 eras less the days
		// from 1 March 2000 back to 1 January 1970.
		epoch = 6*perEra - 11017
	)
	n := int(days) + epoch
	era, n := n/perEra, n%perEra
	// Subtract the leap days before day n of the era, so that every year has 365 days.
	y := (n - n/1460 + n/36524 - n/(perEra-1)) / 365
	n -= 365*y + y/4 - y/100 // day of the year, from 1 March
	m := (5*n + 2) / 153     // month, March being 0
	day = n - (153*m+2)/5 + 1
	year, month = era*400+y-400, m+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

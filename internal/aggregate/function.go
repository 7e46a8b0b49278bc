package aggregate

// Function is an aggregate function.
type Function uint8

// The functions. All but Count take an argument, whose null values are not added.
const (
	Count Function = iota // how many records there are
	Sum                   // the sum of the numbers
	Min                   // the smallest value
	Max                   // the largest value
	Avg                   // the sum of the numbers through how many there are
)

// Names returns the names of the functions, in the order of their constants.
func Names() []string { return []string{"count", "sum", "min", "max", "avg"} }

// ParseFunction finds the function of that name.
func ParseFunction(name string) (Function, bool) {
	for i, known := range Names() {
		if known == name {
			return Function(i), true
		}
	}
	return 0, false
}

// String returns the name.
func (f Function) String() string {
	if names := Names(); int(f) < len(names) {
		return names[f]
	}
	return "unknown"
}

// TakesArgument tells whether the function is of a value, sum(price), or of the record itself, count().
func (f Function) TakesArgument() bool { return f != Count }

// TakesText tells whether strings can be added, besides numbers.
func (f Function) TakesText() bool { return f == Min || f == Max }

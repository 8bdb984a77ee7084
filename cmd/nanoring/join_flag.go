package main

import "strings"

// joinFlag is a list of sources, with commas between them. What begins with exec: is a
// command, which may have commas of its own: it goes on to the end.
type joinFlag []string

func (j *joinFlag) String() string { return strings.Join(*j, ",") }

// Type implements pflag.Value.
func (j *joinFlag) Type() string { return "strings" }

// Set implements pflag.Value: what it is given comes to what is there.
func (j *joinFlag) Set(text string) error {
	for more := true; more; {
		one := text
		if !strings.HasPrefix(text, "exec:") {
			one, text, more = strings.Cut(text, ",")
		} else {
			more = false
		}
		*j = append(*j, strings.TrimSpace(one))
	}
	return nil
}

// Append implements pflag.SliceValue.
func (j *joinFlag) Append(one string) error {
	*j = append(*j, one)
	return nil
}

// Replace implements pflag.SliceValue.
func (j *joinFlag) Replace(all []string) error {
	*j = all
	return nil
}

// GetSlice implements pflag.SliceValue.
func (j *joinFlag) GetSlice() []string { return *j }

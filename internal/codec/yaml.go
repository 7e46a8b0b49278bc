package codec

// MarshalYAML implements yaml.Marshaler: a Config that is no more than a format is written as one word.
func (c Config) MarshalYAML() (any, error) {
	type section Config
	s := section(c)
	s.Format = c.format()
	word := section{Format: s.Format}
	if s.Framing == word.Framing && s.Schema == "" && s.Message == "" && len(s.Imports) == 0 && s.Subject == "" && !s.Register {
		return s.Format, nil
	}
	return s, nil
}

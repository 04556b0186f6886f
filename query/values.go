package query

import "fmt"

// ValuesSQL gives, for whoever completes a query or counts by a field, an
// expression over the columns of the view contexts or events that has a field's
// values as texts, a row each: the elements of a list, and the keys of a map.
// For a function it gives what the function may be asked with. The SQL is made
// of constants. The error names a field that is not there, or that is a time or
// another quantity, whose values nobody would choose from.
//
// Of a query over events the fields of the context are not among the columns:
// ask for them over contexts.
func ValuesSQL(over Over, name string) (string, error) {
	switch name {
	case "by":
		name = "effectsBy"
	case "touches":
		name = "touched"
	case "caused-by":
		name = "actor"
	}
	s := schemaOf(over)
	c, key := s.find(name)
	if c == nil || key != "" {
		e := &Error{Query: name, Length: len(name), Message: fmt.Sprintf("there is no field %q", name)}
		e.Nearest = nearest(name, s.names())
		return "", e
	}
	switch {
	case c.context:
		return "", fmt.Errorf("the field %s is one of contexts", c.Name)
	case c.Type == Text, c.Type == Number, c.Type == Bool:
		return "CAST(" + c.sql + " AS VARCHAR)", nil
	case c.Type == List:
		return "unnest(" + c.sql + ")", nil
	case c.Type.isMap():
		return "unnest(map_keys(" + c.sql + "))", nil
	}
	return "", fmt.Errorf("the values of a %s such as %s are not listed", c.Type, c.Name)
}

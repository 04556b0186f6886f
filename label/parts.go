package label

// Parts are the numbers that a label is made of, as they lie in its bits. Of
// Unknown and Ignored they are all zero.
type Parts struct {
	Resource    int
	Subresource int
	Namespaced  bool
	Named       bool
	Verb        int
}

// Parts takes a label apart. It does not ask whether the tables know the parts;
// Decode does.
func (l Label) Parts() Parts {
	if l < 0 || l > maxLabel {
		return Parts{}
	}
	return Parts{
		Resource:    int(l>>resourceShift) & resourceMask,
		Subresource: int(l&upperMask)<<lowerBits | int(l>>subresourceShift)&lowerMask,
		Namespaced:  l>>namespaceShift&1 == 1,
		Named:       l>>nameShift&1 == 1,
		Verb:        int(l>>verbShift) & verbMask,
	}
}

// Label puts the parts together, whether or not the tables know them. Bits
// beyond a part's place are cut off.
func (p Parts) Label() Label {
	return pack(p.Resource&resourceMask, p.Subresource&(upperMask<<lowerBits|lowerMask), verbID(p.Verb&verbMask), p.Namespaced, p.Named)
}

// Package avro reads Avro's binary encoding into documents and writes it from them (Avro specification 1.12, "Data
// serialization and deserialization" and "Schema resolution").
//
// Schemas are parsed by hamba/avro and compiled once into closures over a cursor of our own. hamba's reader was left: it
// copies each string, refuses one above 1 MiB, cannot say how many bytes are left, so that a hostile length allocates
// before it is refused, and decodes into maps that lose the order of names. Its resolved schemas hide what was resolved,
// and its resolution refuses unions whose branches become equal; so writer and reader are compiled against each other here.
//
// Errors name fields and types of the schema, never a value.
package avro

//! How a command or an event of one chat is written and read: as one object, with the chat's id after the name. serde's
//! `flatten` can put the id only before the name, or after all.

use serde::de::{self, DeserializeOwned};
use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::{Map, Value};

use crate::id::ChatId;

/// Writes what is tagged with its name, with the chat's id after the name.
pub(super) fn serialize<S: Serializer>(
    chat: ChatId,
    tagged: &impl Serialize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    tagged.serialize(WithChat {
        map: &mut map,
        chat: Some(chat),
    })?;
    map.end()
}

/// An object as it was read, and the name in it.
pub(super) fn name<'a>(object: &'a Map<String, Value>, tag: &str) -> &'a str {
    object.get(tag).and_then(Value::as_str).unwrap_or_default()
}

/// Reads what [`serialize`] writes.
pub(super) fn deserialize<T: DeserializeOwned, E: de::Error>(
    mut object: Map<String, Value>,
) -> Result<(ChatId, T), E> {
    let chat = object.remove("chat").ok_or_else(|| E::missing_field("chat"))?;
    let chat = serde_json::from_value(chat).map_err(E::custom)?;
    let tagged = serde_json::from_value(Value::Object(object)).map_err(E::custom)?;
    Ok((chat, tagged))
}

/// Passes the fields of a struct on into a map, with the chat's id after the first.
struct WithChat<'m, M> {
    map: &'m mut M,
    chat: Option<ChatId>,
}

impl<M: SerializeMap> WithChat<'_, M> {
    fn value_is_written(&mut self) -> Result<(), M::Error> {
        match self.chat.take() {
            Some(chat) => self.map.serialize_entry("chat", &chat),
            None => Ok(()),
        }
    }
}

impl<M: SerializeMap> SerializeStruct for WithChat<'_, M> {
    type Ok = ();
    type Error = M::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        self.map.serialize_entry(key, value)?;
        self.value_is_written()
    }

    fn end(self) -> Result<(), M::Error> {
        Ok(())
    }
}

impl<M: SerializeMap> SerializeMap for WithChat<'_, M> {
    type Ok = ();
    type Error = M::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), M::Error> {
        self.map.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), M::Error> {
        self.map.serialize_value(value)?;
        self.value_is_written()
    }

    fn end(self) -> Result<(), M::Error> {
        Ok(())
    }
}

/// What an enum with a tag inside is never written as.
macro_rules! never {
    ($($name:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<$ok, M::Error> {
            Err(serde::ser::Error::custom("only an object can have a chat in it"))
        }
    )*};
}

impl<M: SerializeMap> Serializer for WithChat<'_, M> {
    type Ok = ();
    type Error = M::Error;
    type SerializeSeq = Impossible<(), M::Error>;
    type SerializeTuple = Impossible<(), M::Error>;
    type SerializeTupleStruct = Impossible<(), M::Error>;
    type SerializeTupleVariant = Impossible<(), M::Error>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), M::Error>;

    fn serialize_map(self, _: Option<usize>) -> Result<Self, M::Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, M::Error> {
        Ok(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), M::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        value.serialize(self)
    }

    never! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

//! `.proto` text to descriptors, with the files that it imports: those that the registry refers to, Google's own, and a few that
//! Confluent's registry has built in.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use prost_reflect::{prost::Message, prost_types::FileDescriptorProto};
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver},
};

use super::Schema;

/// A name for the file itself that no import has.
const MAIN: &str = "the record's own schema.proto";

/// What registries know without being told, as far as it changes how a record is read. Anything else has to be a reference.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "confluent/type/decimal.proto",
        "syntax = \"proto3\"; package confluent.type; \
         message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }",
    ),
    ("google/type/decimal.proto", "syntax = \"proto3\"; package google.type; message Decimal { string value = 1; }"),
    (
        "confluent/meta.proto",
        "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\"; \
         message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; } \
         extend google.protobuf.FileOptions { Meta file_meta = 1088; } \
         extend google.protobuf.MessageOptions { Meta message_meta = 1088; } \
         extend google.protobuf.FieldOptions { Meta field_meta = 1088; } \
         extend google.protobuf.EnumOptions { Meta enum_meta = 1088; } \
         extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }",
    ),
];

struct Texts(HashMap<String, String>);

impl Texts {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }
}

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        described(name, text).map_or_else(|| File::from_source(name, text), Ok)
    }
}

/// Some serializers register what a compiler made of a file, in base64, and some registries hand it out as it came.
/// No text of a `.proto` file is base64: that has neither blanks nor semicolons.
fn described(name: &str, text: &str) -> Option<File> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    let file = FileDescriptorProto::decode(&bytes[..]).ok()?;
    Some(File::from_file_descriptor_proto(FileDescriptorProto { name: Some(name.to_owned()), ..file }))
}

impl Schema {
    /// `references` are the files that this one imports, and theirs, by the names in the `import` lines.
    pub(crate) fn compile(text: &str, references: &[(&str, &str)]) -> Result<Self, String> {
        let mut resolver = ChainFileResolver::new();
        resolver.add(Texts::new(references.iter().copied().chain([(MAIN, text)])));
        resolver.add(Texts::new(BUILT_IN));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true);
        compiler.open_file(MAIN).map_err(|error| error.to_string())?;
        let file = compiler.descriptor_pool().get_file_by_name(MAIN).ok_or("the compiler lost its only file")?;
        if file.messages().len() == 0 {
            return Err("it declares no message".into());
        }
        Ok(Self { file })
    }
}

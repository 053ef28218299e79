//! Reading `Signature-Input` and `Signature` in one pass, keeping the received order.

use super::{
    COMPONENTS_MAX, FIELD_BYTES_MAX, SIGNATURE, SIGNATURE_INPUT, SIGNATURES_MAX, SignatureInput,
    component::{Draft, plain},
    malformed,
};
use crate::{
    Error,
    structured::{self, Refused},
};
use http::{HeaderMap, HeaderValue};
use sfv::{
    BareItemFromInput, ItemSerializer, KeyRef, Parser, RefBareItem,
    visitor::{
        DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, Never, ParameterVisitor,
    },
};
use std::borrow::Cow;

/// How many parameters that we do not know one signature may have.
const OTHERS_MAX: usize = 16;

/// The signatures of one message, at most four, none of them checked yet.
#[derive(Debug)]
pub struct Signatures<'h>(Vec<Signature<'h>>);

/// One signature as received.
#[derive(Debug)]
pub struct Signature<'h> {
    /// Its name within the message.
    pub label: &'h str,
    /// What it covers.
    pub input: SignatureInput<'h>,
    /// The signature itself.
    pub value: Vec<u8>,
}

impl<'h> Signatures<'h> {
    /// Reads the signatures of a message; none is an empty list, not an error.
    ///
    /// Malformed are: more than four signatures, 32 components or 8 KiB; a label without its
    /// counterpart in the other field; a repeated label, component or parameter; an unknown
    /// component or component parameter.
    pub fn parse(headers: &'h HeaderMap) -> Result<Self, Error> {
        let lines = [SIGNATURE_INPUT, SIGNATURE].map(|name| headers.get_all(name));
        let bytes: usize = lines
            .iter()
            .flat_map(|lines| lines.iter())
            .map(HeaderValue::len)
            .sum();
        if bytes > FIELD_BYTES_MAX {
            return Err(malformed(format!(
                "at most {FIELD_BYTES_MAX} bytes of signatures"
            )));
        }
        let [input_lines, value_lines] = lines;
        let mut inputs = Inputs(Vec::new());
        for line in input_lines {
            inputs = Parser::new(line)
                .parse_dictionary_with_visitor(inputs)
                .map_err(|error| malformed(format!("Signature-Input: {error}")))?;
        }
        let values = structured::byte_sequences(value_lines)
            .map_err(|error| malformed(format!("Signature: {error}")))?;
        pair(inputs.0, values).map(Self)
    }

    /// Every signature, in received order.
    pub fn iter(&self) -> impl Iterator<Item = &Signature<'h>> {
        self.0.iter()
    }

    /// The signatures that carry this tag.
    pub fn tagged(&self, tag: &str) -> impl Iterator<Item = &Signature<'h>> {
        self.0
            .iter()
            .filter(move |one| one.input.parameters.tag.as_deref() == Some(tag))
    }
}

fn pair<'h>(
    inputs: Vec<(&'h str, SignatureInput<'h>)>,
    mut values: Vec<(&'h str, Vec<u8>)>,
) -> Result<Vec<Signature<'h>>, Error> {
    let unpaired = || malformed("Signature-Input and Signature have different labels");
    if inputs.len() != values.len() {
        return Err(unpaired());
    }
    inputs
        .into_iter()
        .map(|(label, input)| {
            let at = values
                .iter()
                .position(|(name, _)| *name == label)
                .ok_or_else(unpaired)?;
            Ok(Signature {
                label,
                input,
                value: values.swap_remove(at).1,
            })
        })
        .collect()
}

/// The dictionary.
struct Inputs<'h>(Vec<(&'h str, SignatureInput<'h>)>);

impl<'h> DictionaryVisitor<'h> for Inputs<'h> {
    type Out = Self;
    type Error = Refused;

    fn entry(&mut self, key: &'h KeyRef) -> Result<impl EntryVisitor<'h>, Refused> {
        let label = key.as_str();
        if self.0.iter().any(|(known, _)| *known == label) {
            return Err(Refused("a label occurs twice"));
        }
        if self.0.len() == SIGNATURES_MAX {
            return Err(Refused("at most 4 signatures"));
        }
        Ok(Reading(
            &mut self.0.push_mut((label, SignatureInput::empty(8))).1,
        ))
    }

    fn finish(self) -> Result<Self, Refused> {
        Ok(self)
    }
}

/// One member of it, which must be an inner list of components.
struct Reading<'a, 'h>(&'a mut SignatureInput<'h>);

impl<'h> EntryVisitor<'h> for Reading<'_, 'h> {
    type Error = Refused;

    fn item(self) -> Result<impl ItemVisitor<'h>, Refused> {
        Err::<Never, _>(Refused("a signature covers a list of components"))
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'h>, Refused> {
        self.0.text.push('(');
        Ok(self)
    }
}

impl<'h> InnerListVisitor<'h> for Reading<'_, 'h> {
    type Error = Refused;

    fn item(&mut self) -> Result<impl ItemVisitor<'h>, Refused> {
        if self.0.components.len() == COMPONENTS_MAX {
            return Err(Refused("at most 32 components"));
        }
        Ok(Reading(self.0))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'h>, Refused> {
        self.0.text.push(')');
        Ok(SignatureParameters {
            input: self.0,
            others: Vec::new(),
        })
    }
}

impl<'h> ItemVisitor<'h> for Reading<'_, 'h> {
    type Out = ();
    type Error = Refused;

    fn bare_item(
        self,
        item: BareItemFromInput<'h>,
    ) -> Result<impl ParameterVisitor<'h, Out = ()>, Refused> {
        let BareItemFromInput::String(Cow::Borrowed(name)) = item else {
            return Err(Refused("a component is not a name in quotes"));
        };
        let start = self.0.begin_component();
        write_item(&mut self.0.text, &item);
        Ok(ComponentParameters {
            input: self.0,
            draft: Draft::new(name.as_str()),
            start,
        })
    }
}

/// The parameters of one component.
struct ComponentParameters<'a, 'h> {
    input: &'a mut SignatureInput<'h>,
    draft: Draft<'h>,
    start: usize,
}

impl<'h> ParameterVisitor<'h> for ComponentParameters<'_, 'h> {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, key: &'h KeyRef, value: BareItemFromInput<'h>) -> Result<(), Refused> {
        write_parameter(&mut self.input.text, key, &value);
        self.draft.set(key.as_str(), value)
    }

    fn finish(self) -> Result<(), Refused> {
        self.input.end_component(self.draft.finish()?, self.start)
    }
}

/// The parameters of the signature.
struct SignatureParameters<'a, 'h> {
    input: &'a mut SignatureInput<'h>,
    others: Vec<&'h str>,
}

impl<'h> ParameterVisitor<'h> for SignatureParameters<'_, 'h> {
    type Out = ();
    type Error = Refused;

    fn parameter(&mut self, key: &'h KeyRef, value: BareItemFromInput<'h>) -> Result<(), Refused> {
        write_parameter(&mut self.input.text, key, &value);
        let known = &mut self.input.parameters;
        let (seconds, text) = match key.as_str() {
            "created" => (Some(&mut known.created_s), None),
            "expires" => (Some(&mut known.expires_s), None),
            "keyid" => (None, Some(&mut known.keyid)),
            "nonce" => (None, Some(&mut known.nonce)),
            "alg" => (None, Some(&mut known.alg)),
            "tag" => (None, Some(&mut known.tag)),
            other if self.others.contains(&other) => {
                return Err(Refused("a parameter is repeated"));
            }
            _ if self.others.len() == OTHERS_MAX => {
                return Err(Refused("at most 16 parameters that we do not know"));
            }
            other => {
                self.others.push(other);
                return Ok(());
            }
        };
        match (seconds, text, value) {
            (Some(seconds @ None), _, BareItemFromInput::Integer(value)) => {
                *seconds = Some(value.into());
            }
            (_, Some(text @ None), BareItemFromInput::String(value)) => *text = Some(plain(value)),
            _ => return Err(Refused("a parameter is repeated or of the wrong type")),
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Refused> {
        Ok(())
    }
}

fn write_parameter(text: &mut String, key: &KeyRef, value: &BareItemFromInput<'_>) {
    text.push(';');
    text.push_str(key.as_str());
    if !matches!(value, BareItemFromInput::Boolean(true)) {
        text.push('=');
        write_item(text, value);
    }
}

fn write_item(text: &mut String, value: &BareItemFromInput<'_>) {
    let _: &mut String = ItemSerializer::with_buffer(text)
        .bare_item(RefBareItem::from(value))
        .finish();
}

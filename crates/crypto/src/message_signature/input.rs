//! What one signature covers: an ordered list of components, then its parameters.

use super::{COMPONENTS_MAX, Component, component, malformed};
use crate::{Error, structured::Refused};
use std::{
    borrow::Cow,
    fmt::{self, Write},
    ops::Range,
};

/// The components and parameters of one signature, with their canonical text.
#[derive(Debug)]
pub struct SignatureInput<'a> {
    pub(super) text: String,
    pub(super) components: Vec<(Component<'a>, Range<usize>)>,
    pub(super) parameters: Parameters<'a>,
}

/// The parameters of a signature (RFC 9421 section 2.3). Received parameters that are not listed
/// here are signed all the same.
#[derive(Debug, Clone, Default)]
pub struct Parameters<'a> {
    /// When it was made, in seconds since 1970.
    pub created_s: Option<i64>,
    /// Until when it may be used, in seconds since 1970.
    pub expires_s: Option<i64>,
    /// Which key made it, by the verifier's name for it.
    pub keyid: Option<Cow<'a, str>>,
    /// A value used once, so that a replay is noticed.
    pub nonce: Option<Cow<'a, str>>,
    /// The algorithm; the verifier goes by the key's, this one must only not differ.
    pub alg: Option<Cow<'a, str>>,
    /// What the signature is for.
    pub tag: Option<Cow<'a, str>>,
}

impl<'a> SignatureInput<'a> {
    /// An input to sign with: components in the given order, parameters in the order of
    /// [`Parameters`]. Texts may have printable ASCII characters only.
    pub fn new(components: &[Component<'a>], parameters: &Parameters<'a>) -> Result<Self, Error> {
        if components.len() > COMPONENTS_MAX {
            return Err(malformed(format!("at most {COMPONENTS_MAX} components")));
        }
        let mut input = Self::empty(components.len());
        input.text.push('(');
        for component in components {
            let start = input.begin_component();
            write!(input.text, "{component}").map_err(|_| Error::Library)?;
            input
                .end_component(component.clone(), start)
                .map_err(|why| malformed(why.0))?;
        }
        input.text.push(')');
        parameters
            .write(&mut input.text)
            .map_err(|_| Error::Library)?;
        if !input.text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(malformed("names and parameters are printable ASCII"));
        }
        input.parameters = parameters.clone();
        Ok(input)
    }

    /// The covered components, in order.
    pub fn components(&self) -> impl Iterator<Item = &Component<'a>> {
        self.components.iter().map(|(component, _)| component)
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters<'a> {
        &self.parameters
    }

    /// The canonical text: what stands behind `"@signature-params": ` in the base.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn empty(components: usize) -> Self {
        Self {
            text: String::with_capacity(256),
            components: Vec::with_capacity(components),
            parameters: Parameters::default(),
        }
    }

    /// Each component with its identifier as it stands in the text.
    pub(super) fn identified(&self) -> impl Iterator<Item = (&Component<'a>, &str)> {
        self.components
            .iter()
            .map(|(component, place)| (component, self.text.get(place.clone()).unwrap_or_default()))
    }

    pub(super) fn begin_component(&mut self) -> usize {
        if !self.components.is_empty() {
            self.text.push(' ');
        }
        self.text.len()
    }

    pub(super) fn end_component(
        &mut self,
        component: Component<'a>,
        start: usize,
    ) -> Result<(), Refused> {
        if self.components().any(|known| *known == component) {
            return Err(Refused("a component is covered twice"));
        }
        self.components.push((component, start..self.text.len()));
        Ok(())
    }
}

impl Parameters<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        for (name, seconds) in [("created", self.created_s), ("expires", self.expires_s)] {
            if let Some(seconds) = seconds {
                write!(out, ";{name}={seconds}")?;
            }
        }
        let texts = [
            ("keyid", &self.keyid),
            ("nonce", &self.nonce),
            ("alg", &self.alg),
            ("tag", &self.tag),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                component::write_parameter(out, name, text)?;
            }
        }
        Ok(())
    }
}

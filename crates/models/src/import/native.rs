//! Our own form: a mark, then the parts in postcard. Floats keep their bits.

use crate::{Ensemble, Error, Parts};

/// How a file begins: the name and the version of the form.
pub const MAGIC: &[u8] = b"PWMODEL1";

/// The bytes of a model.
pub fn write(model: &Ensemble) -> Result<Vec<u8>, Error> {
    postcard::to_extend(&model.parts(), MAGIC.to_vec())
        .map_err(|error| Error::damaged("model", error.to_string()))
}

/// Reads what [`write`] wrote.
pub fn read(bytes: &[u8]) -> Result<Ensemble, Error> {
    let body = bytes
        .strip_prefix(MAGIC)
        .ok_or_else(|| Error::damaged("file", "it does not begin as a model does"))?;
    let (parts, rest) = postcard::take_from_bytes::<Parts>(body)
        .map_err(|error| Error::damaged("model", error.to_string()))?;
    if !rest.is_empty() {
        return Err(Error::damaged("model", "bytes follow its end"));
    }
    Ensemble::new(parts)
}

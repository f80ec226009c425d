//! Values of our own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// A place in the log: 1, 2, 3, …; 0 is before all. A JSON number; also read from a text of digits. Whether the log has
/// it is said where it is used, with the range that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(pub(crate) i64);

#[Scalar]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.map(Self).ok_or_else(|| InputValueError::custom("a position is a whole number"))
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

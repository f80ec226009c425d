//! Answers as the GraphQL specification completes them ([§6.4.3], [§6.4.4]).
//!
//! async-graphql leaves a field that failed out of its object, whether it may be null or not, and puts the fields of an
//! object in the order in which they were done. Here, a field that failed is null; where it may not be, what holds it
//! is, up to the first thing that may; and fields stand in the order in which they were asked for.
//!
//! [§6.4.3]: https://spec.graphql.org/September2025/#sec-Value-Completion
//! [§6.4.4]: https://spec.graphql.org/September2025/#sec-Handling-Execution-Errors

mod outline;
#[cfg(test)]
mod tests;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{Name, PathSegment, Response, Value};

use outline::Asked;
pub(crate) use outline::Outline;

impl Outline {
    /// Completes the answer to the operation that this is the outline of.
    pub(crate) fn complete(&self, answer: &mut Response) {
        for error in &answer.errors {
            self.mark(&mut answer.data, &error.path);
        }
        if !answer.errors.is_empty() && !self.settle(&mut answer.data) {
            answer.data = Value::Null;
        }
        self.order(&mut answer.data);
    }

    /// How many fields and elements of lists an object holds, counted as the cost of an operation counts them.
    pub(crate) fn size(&self, object: &Value) -> u64 {
        let Value::Object(fields) = object else { return 0 };
        let asked = fields.iter().filter_map(|(key, value)| self.get(key).map(|asked| (asked, value)));
        asked.map(|(asked, value)| asked.size(value)).sum()
    }

    fn size_below(&self, value: &Value) -> u64 {
        match value {
            Value::List(values) => values.iter().map(|value| 1 + self.size_below(value)).sum(),
            value => self.size(value),
        }
    }

    /// Puts null where the path leads, as far as there is a way.
    fn mark(&self, object: &mut Value, path: &[PathSegment]) {
        let Some((PathSegment::Field(key), path)) = path.split_first() else { return };
        let Some(asked) = self.get(key) else { return };
        if *object == Value::Null {
            // All of its fields have failed.
            *object = Value::Object(IndexMap::new());
        }
        if let Value::Object(fields) = object {
            asked.mark(fields.entry(Name::new(key)).or_insert(Value::Null), path);
        }
    }

    /// Whether no field is null that may not be. A value below that may be null is, where something in it may not be.
    fn settle(&self, object: &mut Value) -> bool {
        let Value::Object(fields) = object else { return true };
        let mut settled = true;
        for (key, value) in fields {
            settled &= self.get(key).is_none_or(|asked| asked.settle(value));
        }
        settled
    }

    /// Puts the fields in the order in which they were asked for.
    fn order(&self, object: &mut Value) {
        let Value::Object(fields) = object else { return };
        if !self.is_ordered(fields) {
            let mut unordered = std::mem::take(fields);
            fields.extend(self.keys().filter_map(|key| unordered.swap_remove_entry(key)));
        }
        for (key, value) in fields {
            match self.get(key) {
                Some(asked) if !asked.below.is_empty() => asked.below.order_all(value),
                Some(_) | None => {}
            }
        }
    }

    fn order_all(&self, value: &mut Value) {
        match value {
            Value::List(values) => values.iter_mut().for_each(|value| self.order_all(value)),
            value => self.order(value),
        }
    }

    /// Some of what was asked for may be missing, where a fragment is on another type.
    fn is_ordered(&self, fields: &IndexMap<Name, Value>) -> bool {
        let mut asked = self.keys();
        fields.keys().all(|key| asked.any(|asked| asked == key))
    }
}

impl Asked {
    /// Of the schema itself nothing is counted, nor what lies in a scalar.
    fn size(&self, value: &Value) -> u64 {
        if self.of_schema { 0 } else { 1 + self.below.size_below(value) }
    }

    fn mark(&self, value: &mut Value, path: &[PathSegment]) {
        match (path.split_first(), value) {
            (Some((PathSegment::Field(_), _)), value) => self.below.mark(value, path),
            (Some((PathSegment::Index(index), path)), Value::List(values)) => {
                if let Some(element) = values.get_mut(*index) {
                    self.mark(element, path);
                }
            }
            // A list that failed as a whole, or what the path is of.
            (Some((PathSegment::Index(_), _)) | None, value) => *value = Value::Null,
        }
    }

    fn settle(&self, value: &mut Value) -> bool {
        self.settle_as(self.kind, value)
    }

    fn settle_as(&self, kind: Option<&Type>, value: &mut Value) -> bool {
        let settled = match (kind.map(|kind| &kind.base), &mut *value) {
            (Some(BaseType::List(of)), Value::List(values)) => {
                // Not `all`: what comes after the first that fails is settled too.
                let settled: Vec<bool> = values.iter_mut().map(|value| self.settle_as(Some(of), value)).collect();
                !settled.contains(&false)
            }
            (_, value) => self.below.settle(value),
        };
        if !settled {
            *value = Value::Null;
        }
        *value != Value::Null || kind.is_none_or(|kind| kind.nullable)
    }
}

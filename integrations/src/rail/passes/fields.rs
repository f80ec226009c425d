//! Fields of an object, read strictly: each error says where and what.

use std::fmt::Display;
use std::ops::RangeInclusive;

use vigie_domain::rail::bounds::TextField;

use super::node::Node;

/// What is wrong in a line, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// JSON pointer.
    pub(super) pointer: String,
    /// In words.
    pub(super) reason: String,
}

impl Wrong {
    pub(super) fn at(pointer: impl Into<String>, reason: impl Display) -> Self {
        Self { pointer: pointer.into(), reason: reason.to_string() }
    }
}

/// An object and its place in the line.
pub(super) struct Fields<'a> {
    pointer: String,
    fields: &'a [(String, Node)],
}

/// `name` as a step of a JSON pointer.
fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl<'a> Fields<'a> {
    /// The fields of the object at `pointer`; none may come twice.
    pub(super) fn of(node: &'a Node, pointer: &str) -> Result<Self, Wrong> {
        let Node::Object(fields) = node else {
            return Err(Wrong::at(pointer, format!("must be an object, not {}", node.kind())));
        };
        for (index, (name, _)) in fields.iter().enumerate() {
            if fields[..index].iter().any(|(other, _)| other == name) {
                return Err(Wrong::at(step(pointer, name), "comes twice"));
            }
        }
        Ok(Self { pointer: pointer.to_owned(), fields })
    }

    /// No field but these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Wrong> {
        match self.fields.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                Err(self.wrong(name, format!("is not a field of the contract here; these are: {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// An error at a field.
    pub(super) fn wrong(&self, name: &str, reason: impl Display) -> Wrong {
        Wrong::at(step(&self.pointer, name), reason)
    }

    fn find(&self, name: &str) -> Option<&'a Node> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, node)| node)
    }

    fn require(&self, name: &str) -> Result<&'a Node, Wrong> {
        self.find(name).ok_or_else(|| self.wrong(name, "missing"))
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Wrong> {
        match self.require(name)? {
            Node::Text(text) => Ok(text),
            other => Err(self.wrong(name, format!("must be a text, not {}", other.kind()))),
        }
    }

    /// A text that keeps the rule of its field.
    pub(super) fn checked(&self, name: &str, field: TextField) -> Result<String, Wrong> {
        let text = self.text(name)?;
        field.check(text).map_err(|error| self.wrong(name, error))?;
        Ok(text.to_owned())
    }

    /// A text that keeps the rule of its field, or is missing or null.
    pub(super) fn optional(&self, name: &str, field: TextField) -> Result<Option<String>, Wrong> {
        match self.find(name) {
            None | Some(Node::Null) => Ok(None),
            Some(_) => self.checked(name, field).map(Some),
        }
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<f64, Wrong> {
        match self.require(name)? {
            Node::Number(number) => Ok(*number),
            other => Err(self.wrong(name, format!("must be a number, not {}", other.kind()))),
        }
    }

    /// A whole number within bounds.
    pub(super) fn count(&self, name: &str, bounds: RangeInclusive<u16>) -> Result<u16, Wrong> {
        let number = self.number(name)?;
        let whole = bounds.clone().find(|count| f64::from(*count) == number);
        whole.ok_or_else(|| {
            let (least, most) = bounds.into_inner();
            self.wrong(name, format!("must be a whole number from {least} to {most}, not {number}"))
        })
    }

    /// A list of at most `most` objects.
    pub(super) fn objects(&self, name: &str, most: usize) -> Result<Vec<Fields<'a>>, Wrong> {
        match self.require(name)? {
            Node::List(nodes) if nodes.len() > most => {
                Err(self.wrong(name, format!("must have at most {most} entries, not {}", nodes.len())))
            }
            Node::List(nodes) => {
                let list = step(&self.pointer, name);
                nodes.iter().enumerate().map(|(index, node)| Fields::of(node, &format!("{list}/{index}"))).collect()
            }
            other => Err(self.wrong(name, format!("must be a list, not {}", other.kind()))),
        }
    }
}

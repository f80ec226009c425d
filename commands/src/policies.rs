//! Policies: pure reactions to facts, each cause acted on once.

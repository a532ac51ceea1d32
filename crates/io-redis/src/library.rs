//! The code that runs inside the server, and its names there.
//!
//! Its name is made of its content, so versions of Headway that share a server each have their own and never replace each other's.
//! Never sends anything.

use xxhash_rust::xxh3::xxh3_64;

const BODY: &str = include_str!("library.lua");

/// What the server is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Write,
    Mark,
    Forget,
}

impl Task {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Mark => "mark",
            Self::Forget => "forget",
        }
    }
}

/// The library in its two forms.
#[derive(Debug)]
pub(crate) struct Library {
    /// For `FUNCTION LOAD`.
    pub(crate) functions: String,
    /// For `SCRIPT LOAD`; its first argument is the task.
    pub(crate) script: String,
    name: String,
}

impl Library {
    pub(crate) fn new() -> Self {
        let name = format!("headway_{:016x}", xxh3_64(BODY.as_bytes()));
        // Deleting must work when the memory is full, writing must not.
        let register = |task: Task, flags: &str| {
            let task = task.name();
            format!(
                "redis.register_function{{function_name = '{name}_{task}', flags = {{{flags}}},\n  \
                 callback = function(_, arguments) return {task}(arguments) end}}\n"
            )
        };
        let crossing = "'allow-cross-slot-keys'";
        let functions = [
            format!("#!lua name={name}\n{BODY}"),
            register(Task::Write, crossing),
            register(Task::Mark, crossing),
            register(Task::Forget, "'allow-cross-slot-keys', 'allow-oom'"),
        ];
        let script = format!(
            "{BODY}local tasks = {{write = write, mark = mark, forget = forget}}\n\
             return tasks[table.remove(ARGV, 1)](ARGV)\n"
        );
        Self { functions: functions.concat(), script, name }
    }

    /// Of the function that does this.
    pub(crate) fn function(&self, task: Task) -> String {
        format!("{}_{}", self.name, task.name())
    }

    /// Of all of them.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_changes_with_the_code() {
        let library = Library::new();
        assert!(library.name().starts_with("headway_") && library.name().len() == 24, "{}", library.name());
        assert!(library.functions.starts_with(&format!("#!lua name={}\n", library.name())));
        for task in [Task::Write, Task::Mark, Task::Forget] {
            assert!(library.functions.contains(&format!("'{}'", library.function(task))));
        }
    }
}

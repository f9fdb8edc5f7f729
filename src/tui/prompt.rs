//! A question at the foot of the screen, and the answer as it is typed.

use super::keys::Edit;

/// What is asked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What to break on.
    Breakpoint,
    /// Which breakpoint to delete.
    Delete,
    /// Which time to go to.
    Time,
    /// Which client to follow.
    Client,
    /// Which words to look for.
    Words,
}

impl Question {
    /// What stands in front of the answer.
    pub const fn words(self) -> &'static str {
        match self {
            Question::Breakpoint => "break on: ",
            Question::Delete => "delete breakpoint: ",
            Question::Time => "go to time: ",
            Question::Client => "follow client: ",
            Question::Words => "look for: ",
        }
    }
}

/// Longest answer, in characters.
const LONGEST: usize = 200;

/// An answer that is being typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    question: Question,
    answer: String,
}

/// What became of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It is not complete.
    More,
    /// It is complete.
    Done,
    /// There is none.
    Dropped,
}

impl Prompt {
    /// An empty answer.
    pub fn new(question: Question) -> Prompt {
        Prompt {
            question,
            answer: String::new(),
        }
    }

    /// What is asked.
    pub fn question(&self) -> Question {
        self.question
    }

    /// The answer so far.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// Goes on typing.
    pub fn edit(&mut self, edit: Edit) -> Typed {
        match edit {
            Edit::Type(typed) => {
                if self.answer.chars().count() < LONGEST && !typed.is_control() {
                    self.answer.push(typed);
                }
                Typed::More
            }
            // Nothing is left to be erased: then it is the question that goes.
            Edit::Erase if self.answer.is_empty() => Typed::Dropped,
            Edit::Erase => {
                self.answer.pop();
                Typed::More
            }
            Edit::Clear => {
                self.answer.clear();
                Typed::More
            }
            Edit::Enter => Typed::Done,
            Edit::Escape => Typed::Dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_typed_erased_and_ended() {
        let mut prompt = Prompt::new(Question::Time);
        for typed in "2ß".chars() {
            assert_eq!(prompt.edit(Edit::Type(typed)), Typed::More);
        }
        assert_eq!(prompt.edit(Edit::Erase), Typed::More);
        assert_eq!(prompt.answer(), "2");
        assert_eq!(prompt.edit(Edit::Type('\t')), Typed::More);
        assert_eq!(prompt.edit(Edit::Type('s')), Typed::More);
        assert_eq!(prompt.answer(), "2s");
        assert_eq!(prompt.edit(Edit::Enter), Typed::Done);
        assert_eq!(prompt.edit(Edit::Clear), Typed::More);
        assert_eq!(prompt.edit(Edit::Erase), Typed::Dropped);
        assert_eq!(prompt.edit(Edit::Escape), Typed::Dropped);
    }

    #[test]
    fn an_answer_has_an_end() {
        let mut prompt = Prompt::new(Question::Words);
        for _ in 0..10_000 {
            prompt.edit(Edit::Type('x'));
        }
        assert_eq!(prompt.answer().len(), LONGEST);
    }
}

//! Letters as the index folds them: to lower case, but not exactly as Rust does for the words that are searched for.

/// The forms that a word can have in the index, which folds some letters otherwise than we do.
pub(super) fn starts(word: &str) -> Vec<String> {
    let mut starts = vec![String::new()];
    for letter in word.chars() {
        let forms = indexed_forms(letter);
        starts = starts
            .iter()
            .flat_map(|start| forms.iter().map(move |form| format!("{start}{form}")))
            .collect();
    }
    starts
}

/// The forms that the index may have of a letter that is this one in lower case.
fn indexed_forms(letter: char) -> Vec<char> {
    let mut forms = vec![letter];
    // Capitals that the index does not fold.
    let mut capitals = letter.to_uppercase();
    if let (Some(capital), None) = (capitals.next(), capitals.next())
        && capital != letter
    {
        forms.push(capital);
        // Small letters that the index folds to another one: "ς" to "σ".
        let mut small = capital.to_lowercase();
        forms.extend(small.next().filter(|small| *small != letter));
    }
    forms
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params};

    use super::*;

    #[test]
    fn the_index_knows_every_letter_by_a_form_that_is_looked_for() {
        let connection = Connection::open_in_memory().expect("memory");
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE letter USING fts5 (text, tokenize = 'trigram');
                CREATE VIRTUAL TABLE letter_terms USING fts5vocab (letter, instance);",
            )
            .expect("SQLite has both");
        let mut missed = Vec::new();
        let mut add = connection
            .prepare("INSERT INTO letter (rowid, text) VALUES (?1, ?2)")
            .expect("it is there");
        for letter in ('\u{1}'..=char::MAX).filter(|letter| letter.is_alphabetic()) {
            add.execute(params![u32::from(letter), format!("{letter}\u{3}\u{3}")])
                .expect("it is new");
        }
        let mut terms = connection
            .prepare("SELECT doc, term FROM letter_terms")
            .expect("it is there");
        let mut rows = terms.query([]).expect("it can be read");
        while let Some(row) = rows.next().expect("it can be read") {
            let letter = char::from_u32(row.get(0).expect("a number")).expect("it was a letter");
            let term: String = row.get(1).expect("text");
            let indexed = term.chars().next().expect("three letters");
            let small: Vec<char> = letter.to_lowercase().collect();
            let [small] = small.as_slice() else {
                assert_eq!(letter, 'İ');
                continue;
            };
            if !indexed_forms(*small).contains(&indexed) {
                missed.push((letter, *small, indexed));
            }
        }
        assert_eq!(missed, []);
    }
}

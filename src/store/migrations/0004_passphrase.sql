-- One row if the profile has a passphrase: then all secrets in `chat` are sealed by the profile key, and that is sealed
-- here. See src/store/vault.rs.
CREATE TABLE profile_key (
    key INTEGER PRIMARY KEY CHECK (key = 1),
    -- How the passphrase is stretched: memory in KiB and passes, 4 bytes each, and lanes, 1 byte.
    stretch BLOB NOT NULL,
    salt BLOB NOT NULL,
    -- 24 bytes of nonce and the box.
    sealed BLOB NOT NULL
) STRICT;

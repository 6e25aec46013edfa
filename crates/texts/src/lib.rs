//! What customers read, in their languages: the texts of mails and pages.

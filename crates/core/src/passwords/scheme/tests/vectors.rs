//! Hashes made by other implementations: argon2-cffi 25.1, bcrypt 4.0, passlib 1.7, Django 5.2, Werkzeug 3.1 and Python's
//! hashlib; those of WordPress and ASP.NET Core Identity by their published formulas, on hashlib and bcrypt.

pub const PLAIN: &str = "correct horse battery";
pub const UNICODE: &str = "pässwörd ✓ 🔒";
/// A hundred bytes: bcrypt reads 72 of them.
pub const LONG: &str =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
pub const SPACED: &str = "  correct horse battery\t";

/// The system that made the hash, the password, the hash.
#[rustfmt::skip]
pub const VECTORS: [(&str, &str, &str); 32] = [
    ("argon2-cffi, argon2id", PLAIN, "$argon2id$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc"),
    ("argon2-cffi, argon2i", PLAIN, "$argon2i$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$OAXSErxG879bx+ePzWBPznYEoRXUPDDon3MP6QlHCIo"),
    ("argon2-cffi, argon2d", PLAIN, "$argon2d$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$URNCe92RhFdW8AJir8ybHgNjdWnsGbKmjVmefgV7ShE"),
    ("argon2-cffi, short output", UNICODE, "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$IC5PLxITAZ3cYbMA0ASRSQ"),
    ("argon2-cffi, version 16 unwritten", PLAIN, "$argon2i$m=128,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gDX/joj0yP/Q7zm3PPzsncT5Jf4WlT1OPmJy8ViIQh8"),
    ("argon2-cffi, version 16", PLAIN, "$argon2i$v=16$m=128,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gDX/joj0yP/Q7zm3PPzsncT5Jf4WlT1OPmJy8ViIQh8"),
    ("Django, argon2", UNICODE, "argon2$argon2id$v=19$m=256,t=1,p=2$c2FsdHlzYWx0c2FsdA$qaVh9ZRghEopmxUPs666W4jNl8Qsp+XGpHe8mpN/orE"),
    ("bcrypt, 2a", PLAIN, "$2a$04$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm"),
    ("bcrypt, 2b", PLAIN, "$2b$04$/1M.dgGwkGxax6CSQIaaJ.xrQFRfztpPmtdbqsJwnQwkWIT99ZEkG"),
    ("bcrypt, 2y", UNICODE, "$2y$05$KoiKWsrACi.76nAAfe9fpu.xXWZ91yQIMCYgp6jbvTqdmnxx9Jgi6"),
    ("bcrypt, a long password", LONG, "$2b$04$7CH4vnioeM9LzHJ3xCHdx.nr7HnEehwfBobGpDRmSEN62ctadsWIe"),
    ("Spring Security, bcrypt", PLAIN, "{bcrypt}$2a$04$JNjZN1I4KQJE0LtpRgp/KumvXu16zpe6ktv240JAviXXijRHK.oRa"),
    ("Django, bcrypt", PLAIN, "bcrypt$$2b$04$4uJ890IqkVCzGbYkA4.tLOOaoRjp51YOF4WiYhQgDDBcb1eUGFBIi"),
    ("Django, bcrypt of SHA-256", LONG, "bcrypt_sha256$$2b$04$u0WEyleICueniwwyZoAgf.5gp2HmymKOBdSqe8icxeiDKNFop8p4K"),
    ("WordPress 6.8", UNICODE, "$wp$2y$04$bH96YQ3J4eYMLld8F0RVkejYzMn/PGPjIJ/FGgBBTUVXRUs/POpZ2"),
    ("WordPress 6.8, trimmed", SPACED, "$wp$2y$04$JHyWqtEHY8UpdRdbYOCdmu1d5yQHe3BMv7arRtAiNhgzk1Qvebp7K"),
    ("Django, PBKDF2-SHA256", PLAIN, "pbkdf2_sha256$1000$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA="),
    ("Django, PBKDF2-SHA1", UNICODE, "pbkdf2_sha1$1000$seasalt2$ZVr8GHJjgJM+7M0EI7E+pwOmp5I="),
    ("passlib, PBKDF2-SHA256", PLAIN, "$pbkdf2-sha256$1000$8PHy8/T19vf4.fr7/P3./w$99bV.pKqUWKQUi1d2HhkR3ILvGqybbv4Jxx1sMp8D6s"),
    ("passlib, PBKDF2-SHA512", UNICODE, "$pbkdf2-sha512$1000$yMnKy8zNzs/Q0dLT1NXW1w$d1FVuVdpuXp9LmWe8/057ND8Yke6kXeQ9JTAYOTUtPuyxnVEa7SgycDBsq0eBPTuEBnxmAKUC3PG4LDZdOROrA"),
    ("passlib, PBKDF2-SHA1", PLAIN, "$pbkdf2$1000$yMnKy8zNzs/Q0dLT1NXW1w$cRItHfb3v0yLyS8Irfh/ppWYiSw"),
    ("hashlib, PBKDF2-SHA256 as PHC", PLAIN, "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$BVALGMmC/K/8ELErc5VgJxyPFApArIZRCQsqjEgZWJ4"),
    ("hashlib, PBKDF2-SHA512 as PHC", PLAIN, "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$7F/Y1rnWXXurLCfFvAmyjyXtbABhgzBTBNcm//wlnvGBOz7OExlgRFs5qwaY5PzB3/WjR7P4yv/ACDQZpDXIfQ"),
    ("Werkzeug, PBKDF2", PLAIN, "pbkdf2:sha256:1000$3QNp5syEXipQ4CDj$cb9e73753777112a3f3d4f83558bf5ca071ff1f99be04ed030777d1069de686b"),
    ("Werkzeug, scrypt", UNICODE, "scrypt:1024:8:1$mZGfaZTwPayLNKTx$8f92c43f84b3feb76a29660775ce72db4d3b5ab79c3154ab1820c3eff2596778f82abbbdfe70813dcb123e7842d9264b6b8c7536e30535752773e69ce8bfb913"),
    ("ASP.NET Core Identity 3, SHA256", PLAIN, "AQAAAAEAAAPoAAAAEGRlZmdoaWprbG1ub3BxcnM6HLqiKAJP9ywvIMgewhqAE074PNUuB5f2/UV8gLI/mw=="),
    ("ASP.NET Core Identity 3, SHA512", PLAIN, "AQAAAAIAAAPoAAAAEGRlZmdoaWprbG1ub3BxcnPVJ/tSqKpVtjXOjmgqupU3NlcZEIaRQbok75stiVi2VQ=="),
    ("ASP.NET Core Identity 3, SHA1", PLAIN, "AQAAAAAAAAPoAAAAEGRlZmdoaWprbG1ub3BxcnNpmcFWlRprlmCewP8W8K3Y2Lrkt1nn3ut3F7qS9YPeQA=="),
    ("ASP.NET Core Identity 2", PLAIN, "AAABAgMEBQYHCAkKCwwNDg/Kv5tkqQSdO0Z/d/XxWNczkIjFP2C3aR/Oyg84EdRL9A=="),
    ("passlib, scrypt", PLAIN, "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0"),
    ("hashlib, scrypt as PHC", UNICODE, "$scrypt$ln=8,r=4,p=3$MDEyMzQ1Njc4OWFiY2RlZg$NiJnI9n6tSuaTPfpzeZkSLyAAhZKlKNytNekNoFFyVOvXT/epnYoaFHTKav8uLien+M/GoUOA4l3dSJVJa/Lwg"),
    ("Django, scrypt", PLAIN, "scrypt$1024$seasalt2seasalt$8$2$Os3vMu4IVg3DfkoPdw6WP9pn4fsEQQsH/S0L2DG+Oi/D/ttFl20eeH/AGpJqWeTATSt02wiVpPoBxFQU9qMmlQ=="),
];

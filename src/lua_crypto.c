/*
 * ampersand.crypto: what signed webhooks and minted tokens need, through libcrypto.
 *
 * Every OpenSSL object is freed before a Lua function that may raise is called, so an error leaks
 * neither memory nor keys. An invalid argument raises; bad input (a key, base64) returns nil and
 * a message that does not quote it.
 */
#include "ampersand.h"
#include "lua_compat.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#define MAX_SIGNATURE 2048 /* bytes: RSA keys of up to 16384 bits */
#define MIN_BITS 2048      /* RFC 7518, 3.3 */

static int failed(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* sha256(bytes) -> 32 bytes */
static int l_sha256(lua_State *L)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    SHA256((const unsigned char *)bytes, n, digest);
    lua_pushlstring(L, (const char *)digest, sizeof digest);
    return 1;
}

/* hmac_sha256(key, bytes) -> 32 bytes */
static int l_hmac_sha256(lua_State *L)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    size_t key_len, len;
    const char *key = luaL_checklstring(L, 1, &key_len);
    const char *bytes = luaL_checklstring(L, 2, &len);
    luaL_argcheck(L, key_len <= INT_MAX, 1, "the key is too long");
    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)bytes, len, digest, &n))
        return luaL_error(L, "hmac_sha256: out of memory");
    lua_pushlstring(L, (const char *)digest, n);
    return 1;
}

/* equal(a, b) -> boolean; takes as long for a near miss as for a far one (only the lengths may
 * show) */
static int l_equal(lua_State *L)
{
    size_t na, nb;
    const char *a = luaL_checklstring(L, 1, &na);
    const char *b = luaL_checklstring(L, 2, &nb);
    lua_pushboolean(L, na == nb && CRYPTO_memcmp(a, b, na) == 0);
    return 1;
}

/* --- base64 (RFC 4648): libcrypto's, of which URLs have two other digits ---------------------- */

static void exchange(char *text, size_t n, const char *from, const char *to)
{
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == from[0] ? to[0] : text[i] == from[1] ? to[1] : text[i];
}

/* Returns the number of digits, without padding; `out` has room for it and a NUL. */
static size_t encode(char *out, const unsigned char *in, size_t n, bool url)
{
    size_t used = (size_t)EVP_EncodeBlock((unsigned char *)out, in, (int)n);
    while (used && out[used - 1] == '=')
        used--;
    if (url)
        exchange(out, used, "+/", "-_");
    return used;
}

/* base64_encode(bytes, url?) -> text; url-safe text carries no padding */
static int l_base64_encode(lua_State *L)
{
    size_t n, used;
    const unsigned char *in = (const unsigned char *)luaL_checklstring(L, 1, &n);
    bool url = lua_toboolean(L, 2);
    luaL_argcheck(L, n <= INT_MAX / 2, 1, "too long");
    char *out = (char *)lua_newuserdata(L, (n + 2) / 3 * 4 + 1);
    used = encode(out, in, n, url);
    while (!url && used % 4 != 0)
        out[used++] = '=';
    lua_pushlstring(L, out, used);
    return 1;
}

/* base64_decode(text, url?) -> bytes | nil, message; padding may be left out, but not be wrong */
static int l_base64_decode(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    bool url = lua_toboolean(L, 2);
    luaL_argcheck(L, n <= INT_MAX / 2, 1, "too long");
    if (n % 4 == 0)
        for (int i = 0; i < 2 && n > 0 && text[n - 1] == '='; i++)
            n--;
    size_t room = (n + 3) / 4 * 4;
    char *digits = (char *)lua_newuserdata(L, 2 * room + 2);
    unsigned char *bytes = (unsigned char *)digits + room + 1;
    memcpy(digits, text, n);
    memset(digits + n, '=', room - n);
    if (url)
        exchange(digits, n, "-_", "+/");
    int used = EVP_DecodeBlock(bytes, (unsigned char *)digits, (int)room) - (int)(room - n);
    /* It takes other spellings as well: the canonical one is what encoding gives again. */
    bool valid =
        used >= 0 && encode(digits, bytes, (size_t)used, url) == n && memcmp(digits, text, n) == 0;
    if (valid)
        lua_pushlstring(L, (const char *)bytes, (size_t)used);
    OPENSSL_cleanse(digits, 2 * room + 2);
    return valid ? 1 : failed(L, "not valid base64");
}

/* --- RS256 ---------------------------------------------------------------------------------- */

/* A key with a passphrase must fail, not ask at the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

/* Reads a PEM key without copying its text. NULL when there is none. */
static EVP_PKEY *read_key(const char *pem, size_t n, int private_key)
{
    BIO *bio = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
    EVP_PKEY *key = NULL;
    if (bio) {
        key = private_key ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
                          : PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
        BIO_free(bio);
    }
    return key;
}

/* What is wrong with this key for RS256, or NULL. */
static const char *unfit(EVP_PKEY *key, int private_key)
{
    if (!key) {
        return private_key
                   ? "the private key cannot be read (expected an RSA key as PEM, without a "
                     "passphrase)"
                   : "the public key cannot be read (expected an RSA key as PEM, BEGIN PUBLIC KEY)";
    }
    if (EVP_PKEY_base_id(key) != EVP_PKEY_RSA)
        return "the key is not an RSA key";
    if (EVP_PKEY_bits(key) < MIN_BITS)
        return "the RSA key is too short (RS256 needs at least 2048 bits)";
    return EVP_PKEY_size(key) > MAX_SIGNATURE ? "the RSA key is too long (more than 16384 bits)"
                                              : NULL;
}

static const char *sign(EVP_PKEY *key, const char *bytes, size_t n, unsigned char *signature,
                        size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(context, signature, len, (const unsigned char *)bytes, n) == 1;
    EVP_MD_CTX_free(context);
    return ok ? NULL : "signing failed";
}

/* sign_rs256(private_pem, bytes) -> signature | nil, message */
static int l_sign_rs256(lua_State *L)
{
    unsigned char signature[MAX_SIGNATURE];
    size_t pem_len, n, len = sizeof signature;
    const char *pem = luaL_checklstring(L, 1, &pem_len);
    const char *bytes = luaL_checklstring(L, 2, &n);
    ERR_set_mark(); /* leave no trace in the thread's error queue, which TLS reads as well */
    EVP_PKEY *key = read_key(pem, pem_len, 1);
    const char *why = unfit(key, 1);
    if (!why)
        why = sign(key, bytes, n, signature, &len);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    if (why)
        return failed(L, why);
    lua_pushlstring(L, (const char *)signature, len);
    return 1;
}

static int verify(EVP_PKEY *key, const char *bytes, size_t n, const char *signature, size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestVerify(context, (const unsigned char *)signature, len,
                              (const unsigned char *)bytes, n) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

/* verify_rs256(public_pem, bytes, signature) -> boolean | nil, message */
static int l_verify_rs256(lua_State *L)
{
    size_t pem_len, n, len;
    const char *pem = luaL_checklstring(L, 1, &pem_len);
    const char *bytes = luaL_checklstring(L, 2, &n);
    const char *signature = luaL_checklstring(L, 3, &len);
    ERR_set_mark();
    EVP_PKEY *key = read_key(pem, pem_len, 0);
    const char *why = unfit(key, 0);
    int ok = !why && verify(key, bytes, n, signature, len);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    if (why)
        return failed(L, why);
    lua_pushboolean(L, ok);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"sha256", l_sha256},
    {"hmac_sha256", l_hmac_sha256},
    {"equal", l_equal},
    {"base64_encode", l_base64_encode},
    {"base64_decode", l_base64_decode},
    {"sign_rs256", l_sign_rs256},
    {"verify_rs256", l_verify_rs256},
    {NULL, NULL},
};

AMP_EXPORT int luaopen_ampersand_crypto(lua_State *L)
{
    lua_newtable(L);
    amp_setfuncs(L, FUNCTIONS, 0);
    return 1;
}

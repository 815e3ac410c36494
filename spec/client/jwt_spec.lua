local core = require "ampersand.core"
local crypto = require "ampersand.crypto"
local jwt = require "ampersand.jwt"
local openssl = require "support.openssl"

local function options(change)
  local all = {
    key = openssl.private_key(), key_id = "key-1", groupRef = "acme", consumerRef = "user-1", now = 1700000000.75,
  }
  for name, value in pairs(change or {}) do
    if value == false then all[name] = nil else all[name] = value end
  end
  return all
end

local function open(token)
  local header, claims, signature = token:match "^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$"
  assert.is_string(header, "three parts of url-safe base64 without padding")
  return core.decode(crypto.base64_decode(header, true)), core.decode(crypto.base64_decode(claims, true)),
    crypto.base64_decode(signature, true), header .. "." .. claims
end

describe("jwt.mint", function()
  it("makes the token the embeddable UI asks for", function()
    local header, claims = open(assert(jwt.mint(options())))
    assert.same({ alg = "RS256", typ = "JWT", kid = "key-1" }, header)
    assert.same({
      sub = "user-1", groupRef = "acme", consumerRef = "user-1", iat = 1700000000, exp = 1700000600,
    }, claims)
  end)

  it("signs it so that the openssl command agrees, byte by byte", function()
    local token = assert(jwt.mint(options()))
    local _, _, signature, signed = open(token)
    assert.equal(openssl.sign(openssl.private_key(), signed), signature)
    assert.equal(token, (jwt.mint(options { key = openssl.traditional(openssl.private_key()) })))
  end)

  it("takes a shorter life and a subject, writes whole seconds", function()
    local token = assert(jwt.mint(options { ttl = 60, subject = "jörg \"the\" tester" }))
    local _, claims, _, signed = open(token)
    assert.equal(60, claims.exp - claims.iat)
    assert.equal("jörg \"the\" tester", claims.sub)
    local text = crypto.base64_decode(signed:match "%.(.+)$", true)
    assert.truthy(text:find('"exp":1700000060[,}]'), text)
    assert.truthy(text:find('"iat":1700000000[,}]'), text)
  end)

  it("reads the clock by itself", function()
    local _, claims = open(assert(jwt.mint(options { now = false })))
    assert.is_true(math.abs(claims.iat - os.time()) <= 2)
  end)

  it("refuses more than 600 seconds, missing and unknown options, at the caller's line", function()
    for _, change in ipairs {
      { ttl = 601 }, { ttl = 0 }, { ttl = -1 }, { ttl = 1.5 }, { key = false }, { key_id = false },
      { groupRef = false }, { consumerRef = false }, { groupRef = "" }, { consumerRef = 7 }, { group = "acme" },
    } do
      local ok, message = pcall(function() return jwt.mint(options(change)), nil end)
      assert.is_false(ok)
      assert.truthy(message:find("jwt_spec.lua", 1, true), message)
      assert.is_nil(message:find("PRIVATE KEY", 1, true))
    end
    assert.has_error(function() jwt.mint() end)
  end)

  it("reads a PEM whose line breaks were lost on the way, in an environment variable for instance", function()
    local private = openssl.private_key()
    local token = assert(jwt.mint(options()))
    for _, key in ipairs { private, openssl.traditional(private) } do
      local function joined(separator) return (key:gsub("\n", separator)) end
      for _, text in ipairs {
        joined "\\n", joined "\\r\\n", joined "\r\n", joined "\r", joined " ", joined "", joined "\\\\n",
        '"' .. joined "\\n" .. '"', "  " .. joined "\n  ",
      } do
        assert.equal(token, (jwt.mint(options { key = text })))
      end
    end
  end)

  it("says so when the key is the name of a file", function()
    local path = os.tmpname()
    for _, name in ipairs { path, "keys/private.pem", "./nothing.pem", "C:\\keys\\private.pem" } do
      local token, err = jwt.mint(options { key = name })
      assert.is_nil(token)
      assert.equal("config", err.kind)
      assert.truthy(err.message:find("not the name of a file", 1, true), err.message)
      assert.is_nil(err.message:find(name, 1, true))
    end
    os.remove(path)
  end)

  it("says what is wrong with the key, without showing it", function()
    local private = openssl.private_key()
    for _, case in ipairs {
      { "no key", "not PEM" }, { openssl.public_key(private), "cannot be read" },
      { openssl.encrypted(private), "without a passphrase" },
      { openssl.private_key "RSA -pkeyopt rsa_keygen_bits:1024", "too short" },
      { openssl.private_key "EC -pkeyopt ec_paramgen_curve:P-256", "not an RSA key" },
    } do
      local token, err = jwt.mint(options { key = case[1] })
      assert.is_nil(token)
      assert.equal("config", err.kind)
      assert.truthy(tostring(err):find(case[2], 1, true))
      assert.is_nil(tostring(err):find(case[1], 1, true))
    end
  end)
end)

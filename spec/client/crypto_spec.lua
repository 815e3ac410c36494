local crypto = require "ampersand.crypto"
local openssl = require "support.openssl"

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- Every byte value, and every length modulo three and sixteen.
local function sample(n)
  local bytes = {}
  for i = 1, n do bytes[i] = string.char((i * 167 + n) % 256) end
  return table.concat(bytes)
end

describe("crypto.sha256", function()
  it("gives the published digests", function()
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hex(crypto.sha256 "abc"))
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hex(crypto.sha256 ""))
  end)

  it("agrees with the openssl command", function()
    for _, n in ipairs { 1, 55, 56, 64, 1000 } do
      assert.equal(hex(openssl.sha256(sample(n))), hex(crypto.sha256(sample(n))))
    end
  end)
end)

describe("crypto.hmac_sha256", function()
  it("gives the answers of RFC 4231", function()
    for _, case in ipairs {
      { ("0b"):rep(20), hex "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
      { hex "Jefe", hex "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
      { ("aa"):rep(20), ("dd"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
      { ("aa"):rep(131), hex "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    } do
      assert.equal(case[3], hex(crypto.hmac_sha256(unhex(case[1]), unhex(case[2]))))
    end
  end)

  it("agrees with the openssl command", function()
    for _, n in ipairs { 1, 24, 64, 65 } do
      assert.equal(hex(openssl.hmac(sample(n), sample(n * 7))), hex(crypto.hmac_sha256(sample(n), sample(n * 7))))
    end
  end)

  it("takes an empty key and an empty message", function()
    assert.equal("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", hex(crypto.hmac_sha256("", "")))
  end)
end)

describe("crypto.equal", function()
  it("compares bytes, NUL and all", function()
    assert.is_true(crypto.equal("", ""))
    assert.is_true(crypto.equal("a\0b", "a\0b"))
    assert.is_false(crypto.equal("a\0b", "a\0c"))
    assert.is_false(crypto.equal("a", "aa"))
    assert.is_false(crypto.equal("", "a"))
    for i = 1, 32 do
      local one = sample(32)
      local other = one:sub(1, i - 1) .. string.char((one:byte(i) + 1) % 256) .. one:sub(i + 1)
      assert.is_false(crypto.equal(one, other))
    end
  end)
end)

describe("crypto.base64", function()
  it("gives the texts of RFC 4648", function()
    local texts = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
      foobar = "Zm9vYmFy" }
    for bytes, text in pairs(texts) do
      assert.equal(text, crypto.base64_encode(bytes))
      assert.equal(bytes, crypto.base64_decode(text))
      local url = text:gsub("=", "")
      assert.equal(url, crypto.base64_encode(bytes, true))
      assert.equal(bytes, crypto.base64_decode(url, true))
      assert.equal(bytes, crypto.base64_decode(url))
    end
  end)

  it("agrees with the openssl command and comes back", function()
    for _, n in ipairs { 1, 2, 3, 4, 255, 256, 257, 3000 } do
      local bytes = sample(n)
      assert.equal(openssl.base64(bytes), crypto.base64_encode(bytes))
      assert.equal(bytes, crypto.base64_decode(crypto.base64_encode(bytes)))
      assert.equal(bytes, crypto.base64_decode(crypto.base64_encode(bytes, true), true))
    end
  end)

  it("keeps the two alphabets apart", function()
    assert.equal("+/+/", crypto.base64_encode "\251\255\191")
    assert.equal("-_-_", crypto.base64_encode("\251\255\191", true))
    assert.is_nil((crypto.base64_decode("+/+/", true)))
    assert.is_nil((crypto.base64_decode "-_-_"))
  end)

  it("refuses what is not canonical", function()
    for _, text in ipairs { "Z", "Zg=", "Zh==", "Zm9=", "Zm9vY", "Z g=", "Zg==\n", "====", "A===", "=", "Zg==Zg==",
      "Zm\0v", "Zm9v=", "Zm9v====" } do
      local bytes, message = crypto.base64_decode(text)
      assert.is_nil(bytes, text)
      assert.equal("not valid base64", message)
    end
  end)
end)

describe("crypto RS256", function()
  local message = "header.payload \0 with every byte " .. sample(256)
  local private, expected

  setup(function()
    private = openssl.private_key()
    expected = openssl.sign(private, message)
  end)

  it("signs as the openssl command does, with either kind of PEM", function()
    assert.equal(256, #expected)
    assert.equal(hex(expected), hex(crypto.sign_rs256(private, message)))
    assert.equal(hex(expected), hex(crypto.sign_rs256(openssl.traditional(private), message)))
    assert.is_true(openssl.verifies(openssl.public_key(private), message, crypto.sign_rs256(private, message)))
  end)

  it("verifies what the openssl command signed, and nothing else", function()
    local public, signature = openssl.public_key(private), expected
    assert.is_true(crypto.verify_rs256(public, message, signature))
    assert.is_false(crypto.verify_rs256(public, message .. " ", signature))
    assert.is_false(crypto.verify_rs256(public, message, signature:sub(1, -2)))
    assert.is_false(crypto.verify_rs256(public, message, ""))
    for i = 1, #signature, 17 do
      local flipped = string.char((signature:byte(i) + 1) % 256)
      assert.is_false(crypto.verify_rs256(public, message, signature:sub(1, i - 1) .. flipped .. signature:sub(i + 1)))
    end
    local other = openssl.public_key(openssl.private_key "RSA -pkeyopt rsa_keygen_bits:3072")
    assert.is_false(crypto.verify_rs256(other, message, signature))
  end)

  it("says what is wrong with a key, and nothing of what is in it", function()
    local short = openssl.private_key "RSA -pkeyopt rsa_keygen_bits:1024"
    local curve = openssl.private_key "EC -pkeyopt ec_paramgen_curve:P-256"
    local cut = private:sub(1, 600) .. "\n-----END PRIVATE KEY-----\n"
    for _, case in ipairs {
      { "", "cannot be read" }, { "secret-words", "cannot be read" }, { cut, "cannot be read" },
      { openssl.encrypted(private), "without a passphrase" }, { openssl.public_key(private), "cannot be read" },
      { short, "too short" }, { curve, "not an RSA key" },
    } do
      local signature, words = crypto.sign_rs256(case[1], message)
      assert.is_nil(signature)
      assert.truthy(words:find(case[2], 1, true), words)
      assert.is_nil(words:find("secret-words", 1, true))
    end
    for _, case in ipairs {
      { "", "cannot be read" }, { private, "cannot be read" },
      { openssl.public_key(short), "too short" }, { openssl.public_key(curve), "not an RSA key" },
    } do
      local ok, words = crypto.verify_rs256(case[1], message, "x")
      assert.is_nil(ok)
      assert.truthy(words:find(case[2], 1, true), words)
    end
  end)

  it("raises on wrong types", function()
    for name, call in pairs(crypto) do
      assert.has_error(function() call() end, nil, name)
      assert.has_error(function() call({}, {}, {}) end, nil, name)
    end
  end)
end)

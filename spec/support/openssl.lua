-- OpenSSL as an independent second opinion: the command, or libcrypto through another binding, which starts no process.
-- Files are temporary and removed at once, but for keys.
local openssl = {}

local function write(bytes, path)
  path = path or os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end

local function read(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read "*a"
  if file then file:close() end
  return bytes
end

-- Runs `openssl COMMAND` with every {name} replaced by a file that holds inputs[name]; returns what it writes.
local function run(command, inputs)
  local out, paths = os.tmpname(), {}
  command = command:gsub("{(%w+)}", function(name)
    paths[name] = paths[name] or write(inputs[name])
    return paths[name]
  end)
  os.execute(("openssl %s >%s 2>/dev/null"):format(command, out))
  for _, path in pairs(paths) do os.remove(path) end
  local bytes = read(out)
  os.remove(out)
  return bytes
end

local keys = {}

-- A key that a command makes, of another one or by itself. It is kept in build/: to make one takes up to a second.
local function made(command, private)
  local id = openssl.sha256(command .. (private or "")):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  local path = ("build/key-%s.pem"):format(id:sub(1, 16))
  keys[path] = keys[path] or read(path)
  if not keys[path] then
    keys[path] = run(command, { key = private })
    assert(keys[path]:find("PRIVATE KEY", 1, true), "the openssl command is needed")
    os.rename(write(keys[path], path .. tostring({}):match "%w+$"), path) -- whole, or not there
  end
  return keys[path]
end

--- A private key as PEM, one per algorithm; `kind` such as "RSA -pkeyopt rsa_keygen_bits:2048".
function openssl.private_key(kind)
  return made("genpkey -algorithm " .. (kind or "RSA -pkeyopt rsa_keygen_bits:2048"))
end

function openssl.public_key(private)
  return require("openssl.pkey").new(private):toPEM "public"
end

--- The same key in the older form "BEGIN RSA PRIVATE KEY".
function openssl.traditional(private)
  return made("pkey -in {key} -traditional", private)
end

function openssl.encrypted(private)
  return made("pkey -in {key} -aes256 -passout pass:moon", private)
end

function openssl.sign(private, bytes)
  return run("dgst -sha256 -sign {key} {bytes}", { key = private, bytes = bytes })
end

function openssl.verifies(public, bytes, signature)
  local words = run("dgst -sha256 -verify {key} -signature {signature} {bytes}",
    { key = public, bytes = bytes, signature = signature })
  return words:find("Verified OK", 1, true) ~= nil
end

function openssl.sha256(bytes)
  return require("openssl.digest").new("sha256"):final(bytes)
end

function openssl.hmac(key, bytes)
  return require("openssl.hmac").new(key, "sha256"):final(bytes)
end

function openssl.base64(bytes)
  return (require("mime").b64(bytes))
end

return openssl

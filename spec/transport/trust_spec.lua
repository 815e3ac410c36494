-- Whom the transport trusts and who it says it is: authorities, keys, versions of TLS, proxies.

local ampersand = require "ampersand"
local build = require "support.build"
local curl = require "ampersand.transport.curl"
local fault = require "support.fault"

describe("trust", function()
  local server
  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)

  local function ask(options, port)
    options.http_proxy = options.http_proxy or ""
    options.ca_file = options.ca_file or server.directory .. "/ca.pem"
    local transport = curl.new(options)
    local res, message, kind, sent = transport:request { method = "GET", url = server:url("items", port), timeout = 5 }
    transport:close()
    return res and res.status, kind, message, sent
  end

  -- The outcomes of requests to the "good" server in processes with these environments, one after the other.
  local function with_environments(environments, times)
    local processes = {}
    for i, variables in ipairs(environments) do
      local settings = ""
      for name, file in pairs(variables) do settings = settings .. name .. "='" .. server.directory .. "/" .. file .. "' " end
      processes[i] = "(export AMP_X= " .. settings .. "; %s)"
    end
    local output, code = build.run(([[
      local transport = require("ampersand.transport.curl").new { http_proxy = "", http_version = "1.1" }
      for _ = 1, %d do
        local res, message = transport:request { method = "GET", url = arg[1], timeout = 5 }
        print(res and res.status or message:match "local issuer" or message)
        if res then res.close(true) end
      end
    ]]):format(times or 1), server.directory, {
      arguments = "'" .. server:url("items", "good") .. "'",
      wrap = "unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE; " .. table.concat(processes, " && "),
    })
    assert.equal(0, code, output)
    return (output:gsub("local issuer", "unknown"):gsub("%s+", " "):gsub(" $", ""))
  end

  it("reads the variables that the curl command reads", function()
    local hashed = "hashed-other:" .. server.directory .. "/hashed"
    assert.equal("unknown 200 200 200 200 200 unknown unknown unknown", with_environments {
      {},
      { SSL_CERT_FILE = "ca.pem" }, { CURL_CA_BUNDLE = "ca.pem" }, { CURL_CA_BUNDLE = "ca.pem", SSL_CERT_FILE = "selfsigned.pem" },
      { SSL_CERT_DIR = "hashed" }, { SSL_CERT_DIR = hashed },
      { CURL_CA_BUNDLE = "selfsigned.pem", SSL_CERT_DIR = "hashed" }, { CURL_CA_BUNDLE = "selfsigned.pem", SSL_CERT_FILE = "ca.pem" },
      { SSL_CERT_DIR = "hashed-other", SSL_CERT_FILE = "selfsigned.pem" },
    })
  end)

  it("finds an authority that only the bundle has, and goes on with both", function()
    assert.equal("200 200 200 200 200 200", with_environments({
      { SSL_CERT_DIR = "hashed-other", SSL_CERT_FILE = "ca.pem" }, { SSL_CERT_DIR = "hashed", SSL_CERT_FILE = "selfsigned.pem" },
    }, 3))
  end)

  describe("refuses an encrypted key", function()
    for _, key in ipairs { "encrypted", "traditional" } do
      it("at once, and opens it with its password, " .. key, function()
        local function with(password)
          return ask({
            client_cert = server.directory .. "/client.pem", client_key = server.directory .. "/" .. key .. ".key",
            client_key_password = password,
          }, "client")
        end
        local status, kind, message, sent = with(nil)
        assert.is_nil(status)
        assert.same({ "tls", false }, { kind, sent })
        assert.equal("the client's key is encrypted, and client_key_password is not given", message)
        status, kind, message = with "wrong"
        assert.is_nil(status)
        assert.equal("tls", kind)
        assert.equal("the client's key is encrypted, and client_key_password does not open it", message)
        assert.equal(200, (with "secret"))
        assert.equal(200, (with(function() return "secret" end)))
        for _, bad in ipairs { function() error "no vault" end, function() return nil end } do
          status, kind, message, sent = with(bad)
          assert.is_nil(status)
          assert.same({ "config", false }, { kind, sent })
          assert.matches("client_key_password returned no string", message)
        end
      end)
    end
  end)

  it("names a key that is missing as what it is", function()
    local status, kind, message = ask({
      client_cert = server.directory .. "/client.pem", client_key = server.directory .. "/missing.key",
    }, "client")
    assert.is_nil(status)
    assert.equal("tls", kind)
    assert.not_matches("encrypted", message)
  end)

  it("is not in doubt when a connection is lost in the handshake: that may be tried again", function()
    local status, kind, _, sent = ask({}, "hangup")
    assert.is_nil(status)
    assert.same({ "closed", false }, { kind, sent })
  end)

  it("speaks TLS 1.2 at least, whatever the system's configuration allows", function()
    local configuration = server.directory .. "/openssl.cnf"
    local file = assert(io.open(configuration, "w"))
    file:write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n",
      "MinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n")
    file:close()
    local output = build.run([[
      local transport = require("ampersand.transport.curl").new { http_proxy = "", ca_file = arg[2] }
      local res, message, kind = transport:request { method = "GET", url = arg[1], timeout = 5 }
      print(res and res.status or kind, message)
    ]], server.directory, {
      arguments = ("'%s' '%s/ca.pem'"):format(server:url("items", "tls11"), server.directory),
      wrap = "OPENSSL_CONF='" .. configuration .. "' %s",
    })
    assert.matches("^tls\t", output)
  end)

  it("is not given at a second try: what fails to be verified is asked once", function()
    for _, case in ipairs { { "expired", "ca.pem" }, { "selfsigned", "ca.pem" }, { "good", "missing.pem" } } do
      local client = ampersand.new {
        api_key = "k", project = "p", integration = "i", base_url = server:url("items", case[1]), http_proxy = "",
        ca_file = server.directory .. "/" .. case[2],
      }
      local _, err = client.installations:list()
      assert.same({ "tls", 1, false, false }, { err.kind, err.attempts, err.sent, err.retryable })
      client:close()
    end
  end)

  it("in a proxy: one that refuses a tunnel is kind connect, with its status in words", function()
    for status, words in pairs { [407] = "user name and a password", [502] = "cannot reach", [403] = "does not allow" } do
      local transport = curl.new { http_proxy = server:url "" }
      local res, message, kind, sent = transport:request {
        method = "GET", url = ("https://status%d.invalid/"):format(status), timeout = 5,
      }
      assert.is_nil(res)
      assert.same({ "connect", false }, { kind, sent })
      assert.matches("the proxy answered CONNECT with status " .. status .. ": .*" .. words, message)
      transport:close()
    end
  end)

  it("in a proxy: what it forbids is asked once, what it could not reach may be tried again", function()
    for status, tries in pairs { [407] = 1, [403] = 1, [400] = 1, [502] = 3, [429] = 3 } do
      local client = ampersand.new {
        api_key = "k", project = "p", integration = "i", base_url = ("https://status%d.invalid/v1"):format(status),
        http_proxy = server:url "", retry = { base = 0.001 },
      }
      local before = server:arrivals(("status%d"):format(status))
      local _, err = client.installations:list()
      assert.same({ "connect", tries, false, tries > 1 }, { err.kind, err.attempts, err.sent, err.retryable })
      assert.equal(tries, server:arrivals(("status%d"):format(status)) - before)
      client:close()
    end
  end)
end)

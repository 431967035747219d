'use strict';
// Runs inside jsii's Node process. A provider's lib/index.js is ~2,100 lines of
// `exports.name = require("./name")`; here each becomes a getter that requires on first use.
const fs = require('fs');
const path = require('path');
const Module = require('module');

const ROOT = /[\\/]@(?:cdktf|cdktn)[\\/]provider-[^\\/]+[\\/]lib[\\/]index\.js$/;
const ROOT_IN_CACHE = /[\\/]@(?:cdktf|cdktn)[\\/]provider-[^\\/]+[\\/][^\\/]+[\\/][^\\/]+[\\/]lib[\\/]index\.js$/;
const EXPORT = /^exports\.(\w+) = (?:__importStar\()?require\("(\.\/[\w\-./]+)"\)\)?;$/gm;
// Nearly half of the time to load cdktf goes into a library for zips, which only a program of its own uses.
const ARCHIVES = /[\\/](?:cdktf|cdktn)[\\/](?:[^\\/]+[\\/][^\\/]+[\\/])?lib[\\/]private[\\/]fs\.js$/;
const ARCHIVER = /^const archiver = require\("archiver"\);$/m;
const load = Module._extensions['.js'];

Module._extensions['.js'] = function (module, filename) {
  if (ARCHIVES.test(filename) && ARCHIVER.test(fs.readFileSync(filename, 'utf8'))) {
    module.require = (request) => {
      const required = () => Module.prototype.require.call(module, request);
      return request === 'archiver' ? onFirstUse(required) : required();
    };
  }
  if (!(ROOT.test(filename) || ROOT_IN_CACHE.test(filename)) || !indexed(filename)) return load(module, filename);
  const text = fs.readFileSync(filename, 'utf8');
  const exported = [...text.matchAll(EXPORT)];
  const required = text.match(/require\(/g) || [];
  // A layout this file does not know costs time, never correctness.
  if (exported.length === 0 || exported.length !== required.length) return load(module, filename);
  for (const [, name, target] of exported) {
    Object.defineProperty(module.exports, name, {
      enumerable: true,
      get: () => module.require(target),
    });
  }
};

function onFirstUse(required) {
  return new Proxy(function () {}, {
    apply: (_, self, values) => Reflect.apply(required(), self, values),
    construct: (_, values) => Reflect.construct(required(), values),
    get: (_, name) => required()[name],
    has: (_, name) => name in required(),
  });
}

// jsii builds its type index on a thread during the first, slow load. A fast first load would end the
// process before the thread does, and every later run would pay for the missing index.
function indexed(filename) {
  const root = path.resolve(path.dirname(fs.realpathSync(filename)), '..');
  return fs.existsSync(path.join(root, '.jsii.runtime.v1.json'));
}

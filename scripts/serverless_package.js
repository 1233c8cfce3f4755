"use strict";

// Makes the function's zip before `serverless package` and `serverless deploy` look for it.

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

const ROOT = path.dirname(__dirname);
const PYTHON = path.join(ROOT, ".venv", "bin", "python");

class PackagePlugin {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      "before:package:createDeploymentArtifacts": () => this.make(),
      "before:deploy:function:packageFunction": () => this.make(),
    };
  }

  make() {
    const { Error: UserError } = this.serverless.classes;
    if (!existsSync(PYTHON)) {
      throw new UserError(`${PYTHON} is not there; "make install" makes it.`);
    }
    // What a reference leads to is not known here; the drivers that ship are SQLite's and PostgreSQL's.
    const databaseUrl = this.serverless.service.provider.environment.DATABASE_URL;
    const needsDriver = Boolean(databaseUrl) && !String(databaseUrl).startsWith("sqlite");
    const made = spawnSync(
      PYTHON,
      ["-m", "scripts.package", ...(needsDriver ? ["--postgresql"] : [])],
      { cwd: ROOT, stdio: "inherit" },
    );
    if (made.status !== 0) {
      throw new UserError(`Packaging the function failed: ${made.error ?? `exit code ${made.status}`}.`);
    }
  }
}

module.exports = PackagePlugin;

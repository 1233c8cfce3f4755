"use strict";

// What `npx serverless` does besides: makes the function's zip before it is looked for, makes a new
// deployment ready, and empties the posters' bucket before it is removed. All of that is Python's.

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

const ROOT = path.dirname(__dirname);
const PYTHON = path.join(ROOT, ".venv", "bin", "python");

class MoviesPlugin {
  constructor(serverless, options) {
    this.serverless = serverless;
    this.options = options;
    this.commands = {
      deploy: {
        options: { seed: { usage: "Load the sample films after deploying", type: "boolean" } },
      },
    };
    this.hooks = {
      "before:package:cleanup": () => this.checkCredentials(),
      "before:package:createDeploymentArtifacts": () => this.makeZip(),
      "before:deploy:function:packageFunction": () => this.makeZip(),
      "after:deploy:deploy": () => this.finish(),
      "after:rollback:rollback": () => this.options.timestamp && this.work("finish"),
      "after:info:info": () => this.work("show"),
      "before:remove:remove": () => this.work("empty"),
    };
  }

  // What a reference leads to is not known here, but that there is SQL is.
  get databaseUrl() {
    return String(this.serverless.service.provider.environment.DATABASE_URL ?? "");
  }

  // Before the zip is made, not after: packaging alone needs none.
  async checkCredentials() {
    if (this.serverless.processedInput.commands[0] === "deploy") await this.makeEnvironment();
  }

  makeZip() {
    // The drivers that ship are SQLite's and PostgreSQL's.
    const needsDriver = this.databaseUrl !== "" && !this.databaseUrl.startsWith("sqlite");
    this.run("scripts.package", needsDriver ? ["--postgresql"] : [], process.env);
  }

  async finish() {
    const flags = [];
    if (this.databaseUrl !== "") flags.push("--migrate");
    if (this.options.seed) flags.push("--seed");
    await this.work("finish", flags);
  }

  async work(command, flags = []) {
    const stage = this.serverless.getProvider("aws").getStage();
    const environment = await this.makeEnvironment();
    this.run("scripts.deployed", ["--stage", stage, command, ...flags], environment);
  }

  // With the region and the credentials that this command has, whatever they come from.
  async makeEnvironment() {
    const { credentials, region } = await this.serverless.getProvider("aws").getAwsSdkV3Config();
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const { AWS_PROFILE, AWS_SESSION_TOKEN, ...others } = process.env;
    return {
      ...others,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...(sessionToken && { AWS_SESSION_TOKEN: sessionToken }),
    };
  }

  run(module, parameters, env) {
    const { Error: UserError } = this.serverless.classes;
    if (!existsSync(PYTHON)) {
      throw new UserError(`${PYTHON} is not there; "make install" makes it.`);
    }
    const done = spawnSync(PYTHON, ["-m", module, ...parameters], {
      cwd: ROOT,
      env,
      stdio: "inherit",
    });
    if (done.status !== 0) {
      const why = done.error ?? `exit code ${done.status}`;
      throw new UserError(`python -m ${[module, ...parameters].join(" ")} failed: ${why}.`);
    }
  }
}

module.exports = MoviesPlugin;

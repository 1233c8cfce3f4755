// Prints what aws-xray-sdk's own connector makes of the rules and of the targets, as JSON.
const core = require('aws-xray-sdk-core');
const connector = require('aws-xray-sdk-core/dist/lib/middleware/sampling/service_connector');
const daemon = require('aws-xray-sdk-core/dist/lib/daemon_config');

daemon.setDaemonAddress(process.env.AWS_XRAY_DAEMON_ADDRESS);
core.setLogger({ error() {}, warn() {}, info() {}, debug() {} });
connector.fetchSamplingRules((error, rules) => {
  if (error) throw error;
  for (const rule of rules) rule.incrementRequestCount();
  connector.fetchTargets(rules, (failure, targets, freshness) => {
    if (failure) throw failure;
    const names = rules.map((rule) => rule.getName());
    console.log(JSON.stringify({ names, targets, freshness }));
  });
});

// MQTT.js, unmodified, with nothing of Microsoft's: what the page says of using MQTT directly, over TLS and WebSocket.
"use strict";

const { createHmac } = require("node:crypto");
const { readFileSync } = require("node:fs");
const mqtt = require("mqtt");
const { HUB, Kept, ask, refused, run, same, step } = require("./steps");

const URLS = {
  MQTT: `mqtts://${HUB.host}:${HUB.ports.mqtt}`,
  WebSocket: `wss://${HUB.host}:${HUB.ports.https}/$iothub/websocket?iothub-no-client-cert=true`,
};
const ANSWERS = "$iothub/twin/res/#";
const DESIRED = "$iothub/twin/PATCH/properties/desired/#";
const METHODS = "$iothub/methods/POST/#";

// The cipher suites that IoT Hub's page on TLS has, by OpenSSL's names. Firmware often brings no other.
const SUITES = [
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES256-SHA384",
  "ECDHE-RSA-AES128-SHA256",
];

// A token for a resource, which is written into it as it is.
function token(resource, key) {
  const expiry = Math.floor(Date.now() / 1000) + 3600;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(`${resource}\n${expiry}`).digest("base64");
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}`;
}

function resourceOf(identity, hub = HUB.host) {
  return encodeURIComponent(`${hub}/devices/${identity}`);
}

async function create(identity) {
  return (await ask("create", { identity })).key;
}

// One client and what it received, by kind.
class Session {
  constructor(transport, identity, password, { hub = HUB.host, ...options } = {}) {
    this.identity = identity;
    this.messages = new Kept();
    this.answers = new Kept();
    this.desired = new Kept();
    this.connacks = new Kept();
    this.client = mqtt.connect(URLS[transport], {
      clientId: identity,
      username: `${hub}/${identity}/?api-version=2021-04-12`,
      password,
      reconnectPeriod: 0,
      ...options,
    });
    this.client.on("connect", ({ sessionPresent }) => this.connacks.put({ sessionPresent }));
    this.client.on("error", (error) => this.connacks.put({ error }));
    this.client.on("message", (topic, payload) => this.received(topic, payload.toString()));
  }

  get messagesTopic() {
    return `devices/${this.identity}/messages/devicebound/`;
  }

  get eventsTopic() {
    return `devices/${this.identity}/messages/events/`;
  }

  received(topic, body) {
    if (topic.startsWith(this.messagesTopic)) {
      const bag = topic.slice(this.messagesTopic.length);
      this.messages.put({ bag: Object.fromEntries(new URLSearchParams(bag.replaceAll("+", "%2B"))), body });
    } else if (topic.startsWith("$iothub/twin/res/")) {
      this.answers.put({ topic, body: body && JSON.parse(body) });
    } else if (topic.startsWith("$iothub/twin/PATCH/properties/desired/")) {
      this.desired.put({ topic, body: JSON.parse(body) });
    } else if (topic.startsWith("$iothub/methods/POST/")) {
      const [, name, id] = /^\$iothub\/methods\/POST\/([^/]+)\/\?\$rid=(.*)$/.exec(topic);
      this.client.publish(`$iothub/methods/res/207/?$rid=${id}`, JSON.stringify({ name, body }));
    }
  }

  // Wait for CONNACK and return its session-present flag.
  async connected() {
    const { error, sessionPresent } = await this.connacks.take();
    if (error) throw error;
    return sessionPresent;
  }

  // Subscribe to all that the page names; return the granted codes.
  async subscribe() {
    const filters = { [`${this.messagesTopic}#`]: { qos: 1 }, [ANSWERS]: { qos: 0 }, [DESIRED]: { qos: 0 }, [METHODS]: { qos: 0 } };
    return (await this.client.subscribeAsync(filters)).map((granted) => granted.qos);
  }

  async request(topic, body) {
    await this.client.publishAsync(topic, body);
    return this.answers.take();
  }

  // Lose the connection without a DISCONNECT.
  async drop() {
    const closed = new Promise((resolve) => this.client.once("close", resolve));
    this.client.stream.destroy();
    await closed;
  }
}

async function opened(transport, identity, options) {
  return new Session(transport, identity, token(resourceOf(identity), await create(identity)), options);
}

// Connect, send one message that none before was like, and leave.
let trips = 0;
async function roundTrip(identity, password, options, transport = "MQTT") {
  const session = new Session(transport, identity, password, options);
  await session.connected();
  const body = `trip ${++trips}`;
  await session.client.publishAsync(session.eventsTopic, body, { qos: 1 });
  const event = await ask("telemetry", { identity, body });
  await session.client.endAsync();
  return event;
}

async function telemetry(way, { identity, client, eventsTopic }) {
  await step(`${way}: telemetry with QoS 0 and QoS 1`, async () => {
    for (const qos of [0, 1]) {
      await client.publishAsync(eventsTopic, `é ${way} ${qos}`, { qos });
      same((await ask("telemetry", { identity, body: `é ${way} ${qos}` })).properties, {});
    }
  });
  await step(`${way}: telemetry with a property bag`, async () => {
    const bag = new URLSearchParams({ "$.mid": "m 1", "$.ct": "application/json", "$.ce": "utf-8", São: "a=b&c d/e%" });
    await client.publishAsync(eventsTopic + bag.toString().replaceAll("+", "%20"), `bag ${way}`, { qos: 1 });
    const { system, properties } = await ask("telemetry", { identity, body: `bag ${way}` });
    same([system["message-id"], system["content-type"], system["content-encoding"]], ["m 1", "application/json", "utf-8"]);
    same(properties, { São: "a=b&c d/e%" });
  });
}

async function cloudToDevice(way, { identity, messages }) {
  await step(`${way}: cloud-to-device with properties`, async () => {
    await ask("cloud_to_device", { identity, body: "ö", properties: { "a b": "c=d&e/ü" }, message_id: "m 2" });
    const { bag, body } = await messages.take();
    same([body, bag["$.mid"], bag["a b"]], ["ö", "m 2", "c=d&e/ü"]);
  });
}

async function twin(way, session) {
  await step(`${way}: twin get`, async () => {
    same(await session.request("$iothub/twin/GET/?$rid=1", ""), {
      topic: "$iothub/twin/res/200/?$rid=1",
      body: { desired: { $version: 1 }, reported: { $version: 1 } },
    });
  });
  await step(`${way}: twin reported`, async () => {
    const answer = await session.request("$iothub/twin/PATCH/properties/reported/?$rid=2", '{"speed": {"now": 5}}');
    same(answer, { topic: "$iothub/twin/res/204/?$rid=2&$version=2", body: "" });
    same((await ask("twin", { identity: session.identity })).properties.reported.speed, { now: 5 });
  });
  await step(`${way}: twin desired`, async () => {
    await ask("desire", { identity: session.identity, desired: { rate: 7, gone: null } });
    const change = await session.desired.take();
    same(change.topic, "$iothub/twin/PATCH/properties/desired/?$version=2");
    same([change.body.rate, change.body.$version], [7, 2]);
  });
}

async function methods(way, { identity }, when = "") {
  await step(`${way}: method with payload${when}`, async () => {
    const result = await ask("method", { identity, name: "turn", payload: ["ü", null] });
    same([result.status, result.payload.name, JSON.parse(result.payload.body)], [207, "turn", ["ü", null]]);
  });
  await step(`${way}: method without payload${when}`, async () => {
    same(await ask("method", { identity, name: "stop" }), { status: 207, payload: { name: "stop", body: "" } });
  });
}

async function cleanSession(transport) {
  const way = `${transport} with CleanSession 1`;
  let session;
  await step(`${way}: connect`, async () => {
    session = await opened(transport, `mqttjs-${transport}-clean`, { clean: true });
    same(await session.connected(), false);
  });
  await step(`${way}: SUBSCRIBE is granted as the page says`, async () => same(await session.subscribe(), [1, 0, 0, 0]));
  await telemetry(way, session);
  await cloudToDevice(way, session);
  await twin(way, session);
  await methods(way, session);
  await step(`${way}: UNSUBSCRIBE`, () => session.client.unsubscribeAsync(METHODS));
  await step(`${way}: disconnect`, () => session.client.endAsync());
  await step(`${way}: nothing is left of the session`, async () => {
    session.client.reconnect();
    same(await session.connected(), false);
    await session.client.endAsync();
  });
}

async function keptSession(transport) {
  const way = `${transport} with CleanSession 0`;
  const identity = `mqttjs-${transport}-kept`;
  let session;
  await step(`${way}: connect`, async () => {
    session = await opened(transport, identity, { clean: false });
    same(await session.connected(), false);
    await session.subscribe();
  });
  await step(`${way}: what came meanwhile is there after coming back, without SUBSCRIBE`, async () => {
    await session.client.endAsync();
    await ask("cloud_to_device", { identity, body: "meanwhile" });
    session.client.reconnect();
    same(await session.connected(), true);
    same((await session.messages.take()).body, "meanwhile");
  });
  await step(`${way}: connects again by itself when another took it over`, async () => {
    session.client.options.reconnectPeriod = 100;
    await ask("drop", { identity });
    same(await session.connected(), true);
    session.client.options.reconnectPeriod = 0;
  });
  await twin(way, session);
  await methods(way, session, " after a drop");
  await step(`${way}: disconnect`, () => session.client.endAsync());
}

async function wills(transport) {
  for (const qos of [0, 1]) {
    await step(`${transport}: a Will with QoS ${qos} is sent after a drop`, async () => {
      const identity = `mqttjs-${transport}-will-${qos}`;
      const will = { topic: `devices/${identity}/messages/events/left=yes`, payload: `gone ${identity}`, qos };
      const session = await opened(transport, identity, { will });
      await session.connected();
      await session.drop();
      const { properties } = await ask("telemetry", { identity, body: `gone ${identity}` });
      same(properties, { left: "yes", "iothub-MessageType": "Will" });
    });
  }
}

async function certificate() {
  await step("MQTT by certificate: connect, telemetry", async () => {
    const files = await ask("create", { identity: "mqttjs-certificate", by: "certificate" });
    const cert = readFileSync(files.certificate);
    const { system } = await roundTrip("mqttjs-certificate", undefined, { cert, key: readFileSync(files.key) });
    same(JSON.parse(system["iothub-connection-auth-method"]).type, "x509Certificate");
  });
}

async function refusals(transport) {
  await step(`${transport} by a wrong key: is refused`, async () => {
    const identity = `mqttjs-${transport}-wrong`;
    await create(identity);
    const session = new Session(transport, identity, token(resourceOf(identity), "d3Jvbmc="));
    await refused(session.connected(), "Not authorized");
    await session.client.endAsync();
  });
}

async function cipherSuites(transport) {
  const identity = `mqttjs-${transport}-tls`;
  const password = token(resourceOf(identity), await create(identity));
  for (const ciphers of SUITES) {
    const tls = { ciphers, maxVersion: "TLSv1.2" };
    await step(`${transport} with TLS 1.2 and ${ciphers} alone: connect, telemetry`, () =>
      roundTrip(identity, password, { ...tls, wsOptions: tls }, transport),
    );
  }
}

// Ids as firmware makes them of a network address; tokens differ in how often they encode them.
async function punctuatedIds() {
  const resources = {
    "encoded once": (identity) => resourceOf(identity),
    "encoded twice": (identity) => resourceOf(encodeURIComponent(identity)),
    "encoded alone": (identity) => `${HUB.host}/devices/${encodeURIComponent(identity)}`,
  };
  for (const [index, [how, resource]] of Object.entries(resources).entries()) {
    await step(`MQTT by a token with colons in the id, ${how}: connect, telemetry`, async () => {
      const identity = `24:6F:28:AE:00:0${index}`;
      await roundTrip(identity, token(resource(identity), await create(identity)));
    });
  }
}

// The page's own sample of a Password.
async function sampleToken() {
  await step("MQTT by a token as in the page's sample, with /api-version behind the device: connect, telemetry", async () => {
    const key = await create("mqttjs-sample");
    await roundTrip("mqttjs-sample", token(`${resourceOf("mqttjs-sample")}%2Fapi-version%3D2016-11-14`, key));
  });
}

// The name of a hub's endpoint for devices alone; here it is said in TLS, in the Username and in the token.
async function deviceEndpoint() {
  await step("MQTT under a name of the form {hub}.device.azure-devices.net: connect, telemetry", async () => {
    const hub = "emulator.device.azure-devices.net";
    const password = token(resourceOf("mqttjs-endpoint", hub), await create("mqttjs-endpoint"));
    await roundTrip("mqttjs-endpoint", password, { hub, servername: hub });
  });
}

async function idle() {
  const identity = "mqttjs-idle";
  let session;
  await step("connect", async () => {
    session = await opened("MQTT", identity);
    await session.connected();
    await session.subscribe();
  });
  const [before, after] = await ask("silence", { identity, seconds: HUB.idle });
  await step("stays connected through the silence, and answers a method", async () => {
    same(after, before);
    same((await ask("method", { identity, name: "turn", payload: 1 })).status, 207);
  });
}

run(async () => {
  if (HUB.idle) return idle();
  for (const transport of Object.keys(URLS)) {
    await cleanSession(transport);
    await keptSession(transport);
    await wills(transport);
    await refusals(transport);
    await cipherSuites(transport);
  }
  await certificate();
  await punctuatedIds();
  await sampleToken();
  await deviceEndpoint();
});

// @azure/event-hubs, unmodified, as a reader of telemetry: TLS, WebSocket, development emulator.
"use strict";

const { EventHubConsumerClient, earliestEventPosition, latestEventPosition } = require("@azure/event-hubs");
const WebSocket = require("ws");
const { HUB, Kept, ask, refused, run, same, step } = require("./steps");

const GROUP = "$Default";
const NO_RETRY = { retryOptions: { maxRetries: 0 } };
const WAYS = {
  TLS: [HUB.events_connection_string, { customEndpointAddress: `sb://${HUB.host}:${HUB.ports.amqp}` }],
  WebSocket: [
    HUB.events_connection_string,
    {
      customEndpointAddress: `sb://${HUB.host}:${HUB.ports.https}`,
      webSocketOptions: { webSocket: WebSocket },
    },
  ],
  "development emulator": [HUB.events_development_connection_string, {}],
};
const DEVICES = [0, 1, 2, 3, 4, 5].map((number) => `node-events-${number}`);
const COUNT = 5;
const LATECOMER = "node-latecomer";

// Read partitions while the function runs; it gets what comes, event by event: [partition, event].
async function reading(client, positions, act, options = {}) {
  const kept = new Kept();
  const errors = new Kept();
  const subscriptions = Object.entries(positions).map(([partition, startPosition]) =>
    client.subscribe(
      partition,
      {
        processEvents: async (events) => events.forEach((event) => kept.put([partition, event])),
        processError: async (error) => errors.put(error),
      },
      { startPosition, maxBatchSize: 1, maxWaitTimeInSeconds: 1, ...options },
    ),
  );
  try {
    return await act(kept, errors);
  } finally {
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
  }
}

// Take the next events of these devices; others use the hub as well.
async function ours(kept, count, devices = DEVICES) {
  const found = [];
  while (found.length < count) {
    const [partition, event] = await kept.take();
    if (devices.includes(event.systemProperties["iothub-connection-device-id"])) found.push([partition, event]);
  }
  return found;
}

async function round(way) {
  const [text, options] = WAYS[way];
  const client = new EventHubConsumerClient(GROUP, text, { ...NO_RETRY, ...options });
  await step(`${way}: finds the Event Hub`, async () => {
    const found = await client.getEventHubProperties();
    same([found.name, found.partitionIds], ["iothub-emulator", ["0", "1"]]);
  });
  await step(`${way}: finds the state of each partition`, async () => {
    for (const partition of ["0", "1"]) {
      const found = await client.getPartitionProperties(partition);
      same([found.partitionId, found.isEmpty, found.lastEnqueuedSequenceNumber >= COUNT - 1], [partition, false, true]);
    }
  });
  const events = { 0: [], 1: [] };
  await step(`${way}: reads both partitions from the beginning`, async () => {
    const start = { 0: earliestEventPosition, 1: earliestEventPosition };
    await reading(client, start, async (kept) => {
      for (const [partition, event] of await ours(kept, COUNT * DEVICES.length)) events[partition].push(event);
    }, { maxBatchSize: 50 });
    for (const device of DEVICES) {
      const bodies = [...events[0], ...events[1]]
        .filter((event) => event.systemProperties["iothub-connection-device-id"] === device)
        .map((event) => event.body.toString());
      same(bodies, [0, 1, 2, 3, 4].map((number) => `${device} ${number}`));
    }
    same([events[0].length > 0, events[1].length > 0], [true, true]);
  });
  await step(`${way}: an event is whole`, async () => {
    const event = events[0][0];
    const text = Object.fromEntries(Object.entries(event.properties).map(([name, value]) => [name, String(value)]));
    same(text, { alarm: "true", lugar: "São Paulo", empty: "" });
    same([event.messageId, event.correlationId, event.contentType], ["m-1", "c-1", "text/plain"]);
    same(event.systemProperties["iothub-message-source"], "Telemetry");
    same(JSON.parse(event.systemProperties["iothub-connection-auth-method"]).type, "sas");
    same(event.enqueuedTimeUtc instanceof Date, true);
  });
  const known = events[1][1];
  const later = events[1].find((event) => event.enqueuedTimeUtc > known?.enqueuedTimeUtc);
  const positions = {
    "sequence number": { sequenceNumber: known?.sequenceNumber },
    offset: { offset: known?.offset },
    "enqueued time": { enqueuedOn: known?.enqueuedTimeUtc },
  };
  for (const [kind, position] of Object.entries(positions)) {
    for (const isInclusive of kind === "enqueued time" ? [false] : [false, true]) {
      await step(`${way}: starts ${isInclusive ? "at" : "after"} ${kind}`, async () => {
        // Two events may have come within a millisecond: behind a time is what came later.
        const behind = kind === "enqueued time" ? later : events[1][2];
        await reading(client, { 1: { ...position, isInclusive } }, async (kept) => {
          const [[, found]] = await ours(kept, 1);
          same(found.sequenceNumber, (isInclusive ? known : behind).sequenceNumber);
        });
      });
    }
  }
  await step(`${way}: starts at the latest`, async () => {
    await reading(client, { 0: latestEventPosition, 1: latestEventPosition }, async (kept) => {
      let found = null;
      const taken = ours(kept, 1, [LATECOMER]).then((first) => { found = first; });
      // The reader may attach behind the first of them.
      while (found === null) {
        await ask("publish", { identity: LATECOMER, bodies: [`late ${way}`] });
        await new Promise((resolve) => { setImmediate(resolve); });
      }
      await taken;
      same(found[0][1].body.toString().startsWith("late "), true);
    });
  });
  await step(`${way}: a higher owner level takes the partition`, async () => {
    // A group of its own: the level counts for all its readers, the test's own too.
    const [lower, higher] = [0, 1].map(() => new EventHubConsumerClient("owners", text, { ...NO_RETRY, ...options }));
    await reading(lower, { 0: earliestEventPosition }, async (low, errors) => {
      await ours(low, 1);
      await reading(higher, { 0: earliestEventPosition }, async (high) => ours(high, 1), { ownerLevel: 2 });
      same((await errors.take()).code, "ReceiverDisconnectedError");
    }, { ownerLevel: 1 });
    await Promise.all([lower.close(), higher.close()]);
  });
  await step(`${way}: close`, () => client.close());
  const fields = Object.fromEntries(text.split(";").map((field) => [field.split("=", 1)[0], field.slice(field.indexOf("=") + 1)]));
  await step(`${way}: a wrong key is refused`, async () => {
    const wrong = new EventHubConsumerClient(GROUP, text.replace(fields.SharedAccessKey, "d3Jvbmc="), { ...NO_RETRY, ...options });
    await refused(wrong.getEventHubProperties(), "UnauthorizedError");
    await wrong.close();
  });
}

run(async () => {
  await step("set the stage: six devices send five events each", async () => {
    let bag = "alarm=true&lugar=S%C3%A3o%20Paulo&empty=";
    bag += "&%24.mid=m-1&%24.cid=c-1&%24.uid=u-1&%24.ct=text%2Fplain&%24.ce=utf-8";
    for (const identity of [...DEVICES, LATECOMER]) {
      await ask("create", { identity });
      await ask("connect", { identity });
    }
    for (const identity of DEVICES) {
      await ask("publish", { identity, bodies: [0, 1, 2, 3, 4].map((number) => `${identity} ${number}`), bag });
    }
  });
  for (const way of Object.keys(WAYS)) await round(way);
});

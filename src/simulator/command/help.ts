/** What `npm run simulate -- --help` says. */
export const help = `npm run simulate -- [OPTIONS]

Serves a workload with the real scheduler in a modelled world and prints what came of it, beside the bounds that no policy can pass.

Workload
  --trace FILE         a recorded workload, .csv or .csv.gz; its kind is known by the header. The simulator's own format has the columns
                       timestamp_s, model_id, size_gb and, as far as they are known, load_s (3 s and 3 s per GB), exec_s (20), user (one),
                       priority (interactive or batch; interactive). Other columns are ignored. Without it a workload is generated.
  --rows N             only the first N requests (all)
  --requests N         requests to generate, or to draw from a file of rates (10000; 20000)
  --days N             days that the generated requests are spread over (10)
  --compress X         gaps between requests are divided by X (1)
  --warmup SHARE       of the requests, the first ones, which are served and not counted (0.1)
  --load-times FILE    a file of measured load times: loads vary as those do
  --batch-backlog      an endless backlog of 20 s batch jobs in three models beside the requests; runs with and without it

Devices and scheduler
  --devices N          (8)
  --memory-gb GB       of each device, 1 GB = 10^9 bytes; models may fill all of it, with no reserve and no memory pressure (24)
  --policy NAME|all    eviction: lru, lfu, gdsf, multi-rate, decayed-value, hedge (hedge)
  --routing NAME|all   ect, round-robin, wrr, least-loaded, affinity, capacity, performance, complexity, adaptive (ect)
  --order NAME         residency: jobs of models that are there may go before others; arrival: none goes before one that came earlier (residency)
  --execution NAME     recorded: loads and work take the time that the workload says; none: they take none, and each request is served
                       before the next one comes (recorded)

Chance
  --seed N             (1)
  --seeds N            so many runs, from --seed on: the mean and its 95 % interval. A recorded workload is the same for every seed;
                       its load and execution times are drawn around the recorded ones then (1)
  --jitter X           standard deviation of the logarithm of load and execution times (0; 0.1 with --seeds and execution)
  --check              the invariants are checked after every event (slow)
  --json               one JSON object

Other modes
  --nodes FILE         with the pods of a recorded cluster as --trace: what of its device memory nobody could use, by policy of placing
  --faults             worlds full of faults instead of a workload: --seeds of them (200) from seed --from on (1); each failure is
                       printed with the command that repeats it. --routing and --order: in all of them that, instead of what is drawn
  --batching           requests of one kind that share steps, under several rules for batches, beside a clairvoyant: --requests of
                       them (2000), --seeds runs from --seed on (1)
  --replay FILE        a recording of a live server (HEARTH_RECORD): the same events must give the same commands
  --help
`

CREATE TABLE `allocations` (
	`id` integer PRIMARY KEY NOT NULL,
	`device_id` integer NOT NULL,
	`purpose` text NOT NULL,
	`state` text NOT NULL,
	`predicted_bytes` integer NOT NULL,
	`size_bytes` integer NOT NULL,
	`measured_bytes` integer,
	`worker_id` integer,
	`residency_id` integer,
	`job_id` integer,
	`created_at` integer NOT NULL,
	`released_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `allocations_job` ON `allocations` (`job_id`) WHERE job_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `allocations_released` ON `allocations` (`released_at`,`id`);--> statement-breakpoint
CREATE TABLE `decisions` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`reason` text NOT NULL,
	`job_id` integer,
	`version_id` integer,
	`device_id` integer,
	`worker_id` integer,
	`for_version_id` integer,
	`amount` real,
	`scheme` text NOT NULL,
	`scores` text
);
--> statement-breakpoint
CREATE INDEX `decisions_job` ON `decisions` (`job_id`) WHERE job_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `decisions_version` ON `decisions` (`version_id`) WHERE version_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `decisions_kind` ON `decisions` (`kind`);
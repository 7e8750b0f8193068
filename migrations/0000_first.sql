CREATE TABLE `components` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`version_id` integer NOT NULL,
	`name` text NOT NULL,
	`format` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`sha256` text NOT NULL,
	`depends_on` text NOT NULL,
	FOREIGN KEY (`version_id`) REFERENCES `model_versions`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `components_name` ON `components` (`version_id`,`name`);--> statement-breakpoint
CREATE TABLE `devices` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `devices_name_unique` ON `devices` (`name`);--> statement-breakpoint
CREATE TABLE `job_events` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`job_id` integer NOT NULL,
	`attempt` integer NOT NULL,
	`kind` text NOT NULL,
	`at` integer NOT NULL,
	`from_state` text,
	`to_state` text,
	`data` text,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `job_events_job` ON `job_events` (`job_id`);--> statement-breakpoint
CREATE INDEX `job_events_changes` ON `job_events` (`sequence`) WHERE to_state IS NOT NULL;--> statement-breakpoint
CREATE TABLE `job_outputs` (
	`job_id` integer PRIMARY KEY NOT NULL,
	`output` blob NOT NULL,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `job_requests` (
	`job_id` integer PRIMARY KEY NOT NULL,
	`request` text NOT NULL,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`task_kind` text NOT NULL,
	`model_id` integer NOT NULL,
	`version_id` integer NOT NULL,
	`session_id` integer,
	`class` text NOT NULL,
	`idempotency_key` text,
	`fingerprint` text,
	`retry_of` integer,
	`created_at` integer NOT NULL,
	`deadline_at` integer,
	`state` text DEFAULT 'QUEUED' NOT NULL,
	`attempt` integer DEFAULT 0 NOT NULL,
	`failed_attempts` integer DEFAULT 0 NOT NULL,
	`deaths_alone` integer DEFAULT 0 NOT NULL,
	`cancel_requested_at` integer,
	`device_id` integer,
	`loading_at` integer,
	`started_at` integer,
	`first_partial_at` integer,
	`finished_at` integer,
	`progress_done` real DEFAULT 0 NOT NULL,
	`progress_total` real,
	`progress_unit` text,
	`failure` text,
	FOREIGN KEY (`model_id`) REFERENCES `models`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`version_id`) REFERENCES `model_versions`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_key` ON `jobs` (`idempotency_key`) WHERE idempotency_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_session` ON `jobs` (`session_id`) WHERE session_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_unfinished` ON `jobs` (`id`) WHERE finished_at IS NULL;--> statement-breakpoint
CREATE INDEX `jobs_unsuccessful` ON `jobs` (`state`) WHERE state IN ('FAILED', 'CANCELLED');--> statement-breakpoint
CREATE TABLE `model_versions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`model_id` integer NOT NULL,
	`sha256` text NOT NULL,
	`state` text NOT NULL,
	`license` text,
	`manifest` text NOT NULL,
	`directory` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`peak_bytes` integer NOT NULL,
	`registered_at` integer NOT NULL,
	FOREIGN KEY (`model_id`) REFERENCES `models`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `model_versions_digest` ON `model_versions` (`model_id`,`sha256`);--> statement-breakpoint
CREATE TABLE `models` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`task` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `models_name_unique` ON `models` (`name`);--> statement-breakpoint
CREATE TABLE `scheduler_snapshots` (
	`id` integer PRIMARY KEY NOT NULL,
	`saved_at` integer NOT NULL,
	`snapshot` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sequence_blocks` (
	`name` text PRIMARY KEY NOT NULL,
	`reserved` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text,
	`class` text NOT NULL,
	`weight` real NOT NULL,
	`model_id` integer,
	`idle_timeout_seconds` integer NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	`closed_at` integer,
	FOREIGN KEY (`model_id`) REFERENCES `models`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `sessions_open` ON `sessions` (`id`) WHERE closed_at IS NULL;--> statement-breakpoint
CREATE TABLE `tasks` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`job_id` integer NOT NULL,
	`node` text NOT NULL,
	`program` text NOT NULL,
	`components` text NOT NULL,
	`after` text NOT NULL,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `tasks_job` ON `tasks` (`job_id`);
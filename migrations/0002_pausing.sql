CREATE TABLE `checkpoints` (
	`task_id` integer PRIMARY KEY NOT NULL,
	`job_id` integer NOT NULL,
	`step` integer NOT NULL,
	`saved_at` integer NOT NULL,
	`saved` blob NOT NULL,
	FOREIGN KEY (`job_id`) REFERENCES `jobs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `checkpoints_job` ON `checkpoints` (`job_id`);--> statement-breakpoint
ALTER TABLE `jobs` ADD `pause_requested_at` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `pause_cause` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `paused_at` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `paused_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `paused_waiting_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `postprocessing_at` integer;--> statement-breakpoint
ALTER TABLE `tasks` ADD `item` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tasks` ADD `stage` text DEFAULT 'inference' NOT NULL;--> statement-breakpoint
ALTER TABLE `tasks` ADD `is_held` integer DEFAULT 0 NOT NULL;